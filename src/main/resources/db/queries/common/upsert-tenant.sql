INSERT INTO tenant (id, name, client_auth, client_base_url, client_sync_path, client_attachment_path, allowed_sender_domains,
  rate_limits, large_file_config, active, created_at, updated_at)
VALUES (:?id, :?name, :?client_auth, :?baseUrl, :?syncPath, :?attachmentPath, :?allowed_sender_domains,
  :?rate_limits, :?large_file_config, :?active, now_ms(), now_ms())
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, client_auth = excluded.client_auth,
  client_base_url = excluded.client_base_url, client_sync_path = excluded.client_sync_path,
  client_attachment_path = excluded.client_attachment_path,
  url_set_by = 'admin', allowed_sender_domains = excluded.allowed_sender_domains,
  rate_limits = excluded.rate_limits, large_file_config = excluded.large_file_config,
  active = excluded.active, updated_at = excluded.updated_at, revision = tenant.revision + 1
RETURNING *
