package diagnose

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// carry keeps what was seen of pods that still exist. It also records when a pod went away that held room.
func (d *diagnosis) carry() {
	alive := map[types.UID]bool{}
	d.report.Room = d.Room
	for _, pod := range slices.Concat(d.Pods, d.Others) {
		alive[pod.UID] = true
		if holdsRoom(pod) {
			d.report.Seen[roomOf(pod.UID)] = d.Now
		}
	}
	for key, since := range d.Seen {
		switch {
		case key == roomOf(key.UID):
			if _, still := d.report.Seen[key]; !still {
				d.report.Room = d.Now.Truncate(time.Second).Add(time.Second) // events have the same resolution
			}
		case alive[key.UID] || key.UID == "":
			d.report.Seen[key] = since
		}
	}
	for key, runs := range d.Runs {
		if alive[key.UID] {
			if d.report.Runs == nil {
				d.report.Runs = map[Key]int32{}
			}
			d.report.Runs[key] = runs
		}
	}
}
