UPDATE tenant SET
  name = coalesce(:?name, name), client_auth = coalesce(:?client_auth, client_auth),
  client_base_url = coalesce(:?baseUrl, client_base_url),
  client_sync_path = coalesce(:?syncPath, client_sync_path),
  client_attachment_path = coalesce(:?attachmentPath, client_attachment_path),
  rate_limits = coalesce(:?rate_limits, rate_limits),
  large_file_config = coalesce(:?large_file_config, large_file_config),
  active = coalesce(:?active, active), updated_at = now_ms(), revision = revision + 1
WHERE id = :?id
RETURNING *
