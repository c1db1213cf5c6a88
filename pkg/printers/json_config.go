package printers

import "time"

// Changes of a ConfigMap or Secret. Their names are part of the JSON output.
const (
	ConfigCreated = "created"
	ConfigChanged = "changed"
	ConfigDeleted = "deleted"
	ConfigPlanned = "planned"
)

// Affected writes the workloads that a change of a ConfigMap or Secret affects.
func (p *JSON) Affected(at time.Time, affected *Affected) {
	p.write(affectedEvent{p.header(at, "affected"), affected.ChangedKeys, affected.Workloads})
}

// Config writes that a ConfigMap or Secret was changed, and the hash of its new content.
func (p *JSON) Config(at time.Time, change, hash string) {
	p.write(configEvent{p.header(at, "config"), change, hash})
}
