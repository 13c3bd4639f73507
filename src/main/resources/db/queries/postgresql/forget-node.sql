DELETE FROM node WHERE pk = ?
