import type { devices as english } from "./en-devices.ts"

/** Sensoren: wer sie trägt, und was man mit jedem tun kann. */
export const devices: typeof english = {
    heading: mote => `Sensor ${mote}`,
    patient: id => `Patient ${id}`,
    nobody: "niemand",
    onNobody: "Niemand trägt ihn.",
    wornBy: (name, since) => `${name} trägt ihn seit ${since}.`,
    revoked: "Er ist gesperrt: nichts von ihm wird angenommen.",
    filter: "Anzeigen",
    filters: { all: "Alle Sensoren", nobody: "Die niemand trägt" },
    wearer: "Wer ihn ab jetzt trägt",
    putOn: "Anlegen",
    isOn: name => `${name} trägt ihn ab jetzt, mit den Grenzen der Voreinstellung.`,
    inUse: (other, name) => `${other} trägt diesen Sensor. Abnehmen und ${name} anlegen?`,
    rotate: "Neues Geheimnis",
    rotateSure: mote =>
        `Ein neues Geheimnis für Sensor ${mote}? Es muss per Kabel auf das Board. Das alte gilt, bis das Board das neue benutzt hat.`,
    newSecret: "Das neue Geheimnis steht nur jetzt hier. In die .env.local des Boards schreiben und übertragen:",
    revoke: "Sperren",
    revokeSure: mote =>
        `Sensor ${mote} für immer sperren, etwa weil er verloren ist? Nichts von ihm wird mehr angenommen, und niemand kann ihn mehr tragen.`,
    isRevoked: mote => `Gesperrt: ${mote}.`,
    history: "Wer ihn trug",
    historyColumn: {
        patient: "Patient",
        from: "Von",
        begunBy: "Angelegt durch",
        until: "Bis",
        endedBy: "Abgenommen durch",
        reason: "Warum",
    },
    lasts: "dauert an",
    reason: { "taken-off": "abgenommen", discharged: "Patient entlassen", revoked: "Sensor gesperrt" },
    nobodys: count => `Werte, die niemandem gehören: ${count}`,
    nobodyHint:
        "Gemessen, als niemand den Sensor trug, oder zu einer Zeit, zu der nicht sicher ist, wer ihn trug. Die neuesten 500.",
    nobodyColumn: { time: "Gemessen", name: "Größe", value: "Wert" },
    scan: "Mit der Kamera scannen",
    camera: "Was die Kamera sieht",
    aim: "Das Etikett des Sensors vor die Kamera halten.",
    otherCode: "Dieser Code ist nicht das Etikett eines Sensors.",
    noCamera: "Es gibt keine Kamera, die diese Seite benutzen darf. Bitte die Nummer des Sensors tippen.",
}
