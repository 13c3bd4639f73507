UPDATE instance SET
  name = coalesce(:?name, name), bounce_enabled = coalesce(:?bounce_enabled, bounce_enabled),
  bounce_imap_host = coalesce(:?bounce_imap_host, bounce_imap_host),
  bounce_imap_port = coalesce(:?bounce_imap_port, bounce_imap_port),
  bounce_imap_user = coalesce(:?bounce_imap_user, bounce_imap_user),
  bounce_imap_password = coalesce(:?bounce_imap_password, bounce_imap_password),
  bounce_imap_folder = coalesce(:?bounce_imap_folder, bounce_imap_folder),
  bounce_imap_ssl = coalesce(:?bounce_imap_ssl, bounce_imap_ssl),
  bounce_poll_interval = coalesce(:?bounce_poll_interval, bounce_poll_interval),
  bounce_return_path = coalesce(:?bounce_return_path, bounce_return_path),
  updated_at = now_ms()
