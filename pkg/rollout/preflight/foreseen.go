package preflight

// Foreseen is a ConfigMap or Secret that is written before a rollout begins, with the keys that it will have then.
type Foreseen struct {
	Kind, Name string
	Keys       []string
}
