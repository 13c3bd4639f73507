-- Who named a server: admin or tenant. A tenant's is reached at public addresses only; what is there was the administrator's.
ALTER TABLE account ADD COLUMN set_by TEXT NOT NULL DEFAULT 'admin';
ALTER TABLE tenant ADD COLUMN url_set_by TEXT NOT NULL DEFAULT 'admin';
-- JSON list of the domains a tenant may send as; NULL or empty: any.
ALTER TABLE tenant ADD COLUMN allowed_sender_domains TEXT;
