-- Slices in which all is old, and what an earlier round did not drop.
SELECT pk, :?before AS before, :?common AS common FROM slice
WHERE state = 'made' AND ends <= :?before OR state = 'detached' ORDER BY pk
