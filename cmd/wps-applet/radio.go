package main

// switchOn switches the radio on, and then does what was wanted.
func (a *applet) switchOn(then func()) {
	a.in("switching Wi-Fi on", func() func() {
		err := a.model.SwitchOn()
		return func() {
			if err != nil {
				a.failed(sentence{title: T("Wi-Fi Is Switched Off"),
					body: T("It could not be switched on from here. Look for a switch at the computer, or for airplane mode.")}, "")
				return
			}
			a.scans.now()
			if then != nil {
				then()
			}
		}
	})
}

// freeStation ends what runs on the station, and then does what was wanted.
func (a *applet) freeStation(then func()) {
	station, ok := a.station()
	if !ok || station.Session == "" {
		then()
		return
	}
	a.in("ending another setup", func() func() {
		err := a.model.Cancel(station.Session)
		return func() {
			if err != nil {
				a.failed(explainError(err))
				return
			}
			then()
		}
	})
}
