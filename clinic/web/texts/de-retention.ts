import type { retention as english } from "./en-retention.ts"

/** Wie lange was aufbewahrt wird, Aufbewahrungspflichten, Löschung. */
export const retention: typeof english = {
    heading: "Was wie lange aufbewahrt wird",
    hint: "Tage; leer: für immer. Aus Messwerten werden Mittelwerte von Minuten, daraus solche von Stunden. Eine kürzere Frist gilt einen Tag nach dem Speichern. Ohne Station: das Krankenhaus, das für Stationen entscheidet, die es nicht getan haben.",
    never: "Es wurde noch nichts durchgesehen.",
    done: time => `Durchgesehen: ${time}.`,
    ward: "Station; leer: das Krankenhaus",
    hospital: "Das Krankenhaus",
    asHospital: "wie das Krankenhaus",
    forGood: "für immer",
    days: count => `${count} Tage`,
    saved: "Gespeichert. Was kürzer ist als vorher, gilt in einem Tag.",
    by: (time, who) => `${time}, ${who}`,
    column: {
        ward: "Station",
        envelopes: "Versiegelte Umschläge",
        readings: "Messwerte",
        minutes: "Minutenmittel",
        hours: "Stundenmittel",
        by: "Entschieden",
    },
    holds: "Aufbewahrungspflichten",
    holdsHint: "Solange eine besteht, wird von diesem Patienten nichts entfernt oder gelöscht.",
    holdColumn: { patient: "Patient", reason: "Grund", since: "Seit", end: "Aufgehoben" },
    reason: "Grund",
    hold: "Alles aufbewahren",
    held: patient => `Von Patient ${patient} wird ab jetzt nichts entfernt.`,
    lift: "Aufheben",
    liftSure: patient =>
        `Die Aufbewahrungspflicht für Patient ${patient} aufheben? Was fällig ist, wird innerhalb einer Stunde entfernt.`,
    erasures: "Löschungen",
    erasuresHint:
        "Jemand hat sie beantragt; jemand anderes muss sie bestätigen. Diese Liste außerhalb der Sicherungen aufbewahren: nach einer Wiederherstellung wird sie gebraucht.",
    erasureColumn: {
        ...{ patient: "Patient", reason: "Grund", asked: "Beantragt", confirmed: "Bestätigt", finished: "Fertig" },
    },
    erase: "Löschen",
    eraseSure: patient =>
        `Patient ${patient} endgültig löschen, mit allem, was gemessen wurde? Niemand kann das rückgängig machen.`,
}
