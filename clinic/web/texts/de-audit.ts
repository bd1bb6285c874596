import type { audit as english } from "./en-audit.ts"

const subjects: Partial<Record<string, string>> = {
    ward: "die Station: neueste Werte und Alarme",
    patient: "Name und andere Daten der Person",
    "vital-signs": "Verlauf der Vitalwerte",
    alarms: "Alarme",
    news2: "NEWS2",
    notes: "Notizen",
    settings: "Einstellungen des Sensors",
    motes: "Sensoren",
    "alarm-log": "Schichtprotokoll",
    statistics: "Statistik der Alarme",
    retention: "was nicht länger aufbewahrt wird",
    rules: "Alarmregeln",
    "break-glass": "Notfallzugriff auf jemanden von einer anderen Station",
    users: "Benutzer",
    audit: "wer Einsicht nahm",
    clinic: "die Klinik",
}
const actions: Partial<Record<string, string>> = {
    look: "Angesehen",
    add: "Hinzugefügt",
    change: "Geändert",
    remove: "Entfernt",
    "sign-in": "Angemeldet",
    start: "Gestartet",
    restore: "Wiederhergestellt",
    broken: "Dieses Protokoll wurde verändert vorgefunden",
    lost: "Nicht alles konnte festgehalten werden",
}

/** Das Protokoll darüber, wer was angesehen und geändert hat. */
export const audit: typeof english = {
    heading: "Wer was angesehen und geändert hat",
    hint: "Darin wird nie etwas geändert. Eine Seite, die offen bleibt, zählt einmal; eine Anzeige an der Wand einmal je Schicht und Patient.",
    own: "Wer meine Daten angesehen hat",
    ownHint:
        "Das Neueste zuerst. Eine Seite, die offen bleibt, zählt einmal; eine Anzeige an der Wand einmal je Schicht.",
    patientNumber: "Nummer eines Patienten",
    from: "Von",
    to: "Bis",
    outcome: "Ergebnis",
    outcomes: { "": "Jedes", "4": "Abgelehnt", "8": "Gescheitert" },
    became: { done: "erledigt", refused: "abgelehnt", failed: "gescheitert", unknown: "unbekannt, ob ausgeführt" },
    emergency: "Notfallzugriff",
    search: "Suchen",
    more: "Ältere zeigen",
    none: "Es gibt nichts.",
    clinic: "Die Klinik selbst",
    what: (action, subject) => `${actions[action] ?? action}: ${subjects[subject] ?? subject}`,
    columns: { when: "Wann", who: "Wer", what: "Was", patients: "Patienten", from: "Von wo", number: "Nummer" },
}
