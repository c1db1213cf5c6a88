package kube

// ConflictTries is how often a write is computed anew because the object has changed meanwhile. That is common: while a
// workload is rolled out, the controllers keep writing its status.
const ConflictTries = 10
