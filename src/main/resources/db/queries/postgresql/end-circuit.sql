-- An account works again, or is another by now; not by the word of a node whose lease has ended.
DELETE FROM circuit
WHERE account_pk = :?account AND revision = :?revision
  AND EXISTS (SELECT 1 FROM node WHERE pk = :?node AND until_at > now_ms())
RETURNING account_pk
