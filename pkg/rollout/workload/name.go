package workload

import "strings"

// NameOf returns a workload's name as people type it, such as deployment/web.
func NameOf(workload Object) string {
	return strings.ToLower(KindOf(workload)) + "/" + workload.GetName()
}
