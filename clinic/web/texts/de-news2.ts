import type { news2 as english } from "./en-news2.ts"

/** NEWS2 auf der Seite des Patienten. */
export const news2: typeof english = {
    heading: "NEWS2",
    parts: "NEWS2: woraus er besteht",
    name: name =>
        ({
            respiration: "Atemfrequenz",
            saturation: "Sauerstoffsättigung",
            oxygen: "Luft oder Sauerstoff",
            systolic: "Systolischer Druck",
            pulse: "Puls",
            consciousness: "Bewusstsein",
            temperature: "Temperatur",
        })[name],
    level: level =>
        ({
            alert: "Wach",
            confusion: "Verwirrt (neu)",
            voice: "Ansprache",
            pain: "Schmerz",
            unresponsive: "Keine Reaktion",
        })[level],
    gas: gas => (gas === "air" ? "Luft" : "Sauerstoff"),
    risk: risk =>
        ({
            low: "niedriges Risiko",
            lowMedium: "eine einzelne 3: niedriges bis mittleres Risiko",
            medium: "mittleres Risiko: dringend",
            high: "hohes Risiko: Notfall",
        })[risk],
    none: "–",
    atLeast: sum => `${sum} oder mehr`,
    incomplete: sum => `${sum}, nicht vollständig`,
    withAge: (sum, age) => `${sum}, ältester Wert ${age} alt`,
    missing: what => `Es fehlen: ${what}`,
    complete: age => `Ältester Wert ${age}`,
    column: { parameter: "Größe", value: "Wert (gemessen: Median von 2 min)", score: "Punkte", since: "Bekannt seit" },
    measured: ago => ago,
    entered: (ago, by) => `${ago}, ${by}`,
    tooOld: when => `zu alt: ${when}`,
    unknown: "nicht bekannt",
    observe: "Jetzt beobachtet",
    perMinute: "/min",
    pressure: "mmHg",
    last: (value, ago) => `zuletzt ${value}, ${ago}`,
    record: "Eintragen",
    recorded: "Eingetragen.",
    notRecorded: why => `Nicht eingetragen: ${why}`,
    notLoaded: why => `Die Punktzahl konnte nicht geladen werden: ${why}`,
    scale: "SpO₂-Skala",
    scaleName: scale => (scale === 1 ? "1" : "2 (Ziel 88–92 %)"),
    scaleBy: (by, when) => `gewählt von ${by}, ${when}`,
    scaleSure:
        "Skala 2 gilt nur bei hyperkapnischem Atemversagen mit verordnetem Ziel von 88 bis 92 %. Für diesen Patienten verwenden?",
}
