-- Slices in which all is old, and what an earlier round did not drop. In any order: a round stops at the first that fails.
SELECT pk, :?before AS before, :?common AS common FROM slice WHERE ends <= :?before OR detached ORDER BY random()
