// Package nmagent is a secret agent of NetworkManager that answers a missing Wi-Fi key with WPS:
// when NetworkManager asks for the key of a network whose access point has WPS, somebody presses
// the button there, wpsd receives the key beside NetworkManager, and this is the answer.
// NetworkManager keeps the key; nothing is kept here.
//
//	NetworkManager ──GetSecrets──▶ nmagent ──StartPbc──▶ wpsd ──▶ access point
//	               ◀────psk───────         ◀─GetCredentials─
//
// What is known of NetworkManager was measured with version 1.42, and read in its sources
// (src/core/settings/nm-agent-manager.c, nm-secret-agent.c): it asks the agents of the user who
// wants the connection, one after another, the one that began last first. An error passes the question on, but
// for UserCanceled, which ends it. It waits 120 s for an answer. The interface is in the state
// "need authentication" meanwhile, and in no network. Where it can do WPS itself and the profile
// lets it (wps-method), it runs push button at the same time and says so in the question: to
// run a second one would be an overlap of two devices.
package nmagent
