-- A URL is whose who set a part of it last; the administrator vouches for a server by naming it.
UPDATE tenant SET
  url_set_by = CASE
    WHEN CAST(:?setBy AS TEXT) = 'admin' THEN CASE WHEN CAST(:?baseUrl AS TEXT) IS NULL THEN url_set_by ELSE 'admin' END
    WHEN coalesce(:?baseUrl, client_base_url) IS NOT DISTINCT FROM client_base_url
      AND coalesce(:?syncPath, client_sync_path) IS NOT DISTINCT FROM client_sync_path
      AND coalesce(:?attachmentPath, client_attachment_path) IS NOT DISTINCT FROM client_attachment_path
      THEN url_set_by
    ELSE 'tenant' END,
  name = coalesce(:?name, name), client_auth = coalesce(:?client_auth, client_auth),
  client_base_url = coalesce(:?baseUrl, client_base_url),
  client_sync_path = coalesce(:?syncPath, client_sync_path),
  client_attachment_path = coalesce(:?attachmentPath, client_attachment_path),
  allowed_sender_domains = coalesce(:?allowed_sender_domains, allowed_sender_domains),
  rate_limits = coalesce(:?rate_limits, rate_limits),
  large_file_config = coalesce(:?large_file_config, large_file_config),
  active = coalesce(:?active, active), updated_at = now_ms(), revision = revision + 1
WHERE id = :?id
RETURNING *
