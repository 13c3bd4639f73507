-- keep: what has no secret keeps the one it had. A server stays that of the administrator until a tenant names another.
INSERT INTO account (tenant_id, id, type, host, port, set_by, "user", password, use_tls, ttl, batch_size,
  limit_per_second, limit_per_minute, limit_per_hour, limit_per_day, limit_behavior,
  max_connections, max_messages_per_connection, local_address, tls_ca, failover_account_id, on_uncertain,
  is_pec_account, imap_host, imap_port, imap_user, imap_password, created_at, updated_at)
VALUES (:?tenant, :?id, :?type, :?host, :?port, :?setBy, :?user, :?password, :?useTls, :?ttl, :?batchSize,
  :?second, :?minute, :?hour, :?day, :?behavior,
  :?connections, :?messages, :?localAddress, :?tlsCa, :?failover, :?uncertain,
  :?pec, :?imapHost, :?imapPort, :?imapUser, :?imapPassword, now_ms(), now_ms())
ON CONFLICT (tenant_id, id) DO UPDATE SET
  revision = account.revision + 1,
  type = excluded.type, host = excluded.host, port = excluded.port,
  set_by = CASE
    WHEN excluded.set_by = 'tenant' AND excluded.type = account.type AND excluded.host = account.host
      AND excluded.port = account.port THEN account.set_by
    ELSE excluded.set_by END,
  "user" = excluded."user", password = CASE WHEN CAST(:?keep AS INTEGER) = 1 THEN coalesce(excluded.password, account.password) ELSE excluded.password END, use_tls = excluded.use_tls,
  ttl = excluded.ttl, batch_size = excluded.batch_size,
  limit_per_second = excluded.limit_per_second, limit_per_minute = excluded.limit_per_minute,
  limit_per_hour = excluded.limit_per_hour, limit_per_day = excluded.limit_per_day,
  limit_behavior = excluded.limit_behavior,
  max_connections = excluded.max_connections,
  max_messages_per_connection = excluded.max_messages_per_connection,
  local_address = excluded.local_address, tls_ca = excluded.tls_ca,
  failover_account_id = excluded.failover_account_id, on_uncertain = excluded.on_uncertain,
  is_pec_account = excluded.is_pec_account,
  imap_host = coalesce(excluded.imap_host, account.imap_host),
  imap_port = CASE WHEN excluded.imap_host IS NULL THEN account.imap_port ELSE excluded.imap_port END,
  imap_user = CASE WHEN excluded.imap_host IS NULL THEN account.imap_user ELSE excluded.imap_user END,
  imap_password = CASE WHEN excluded.imap_host IS NULL THEN account.imap_password
    WHEN CAST(:?keep AS INTEGER) = 1 THEN coalesce(excluded.imap_password, account.imap_password)
    ELSE excluded.imap_password END,
  updated_at = excluded.updated_at
RETURNING *
