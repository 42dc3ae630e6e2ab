-- Nothing but the server's clock, which every transaction of ours is told.
SELECT 1 AS one
