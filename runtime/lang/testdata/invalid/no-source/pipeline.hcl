# a pipeline that reads nothing
runtime { workers = 1 }
