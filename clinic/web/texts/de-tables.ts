import type { AlarmKindName } from "../../../wire/tables/alarm-kinds.ts"
import type { Problem, ProblemCode } from "../../../wire/tables/problems.ts"
import type { UnitName, VitalName } from "../../../wire/tables/quantities.ts"
import type { Refusal, RefusalCode } from "../../../wire/tables/refusals.ts"
import type { ConfigName } from "../../../wire/tables/settings.ts"

/* German for what the tables in wire/ say in English. */

/** With soft hyphens: alarms stand in narrow places, and not every browser can divide words. */
export const alarmLabels: Record<AlarmKindName, string> = {
    "hr-low": "Herz\u00adfrequenz niedrig",
    "hr-high": "Herz\u00adfrequenz hoch",
    "temp-low": "Temperatur niedrig",
    "temp-high": "Temperatur hoch",
    "spo2-low": "Sauerstoff\u00adsättigung niedrig",
    optical: "Optischer Sensor ausgefallen",
    thermometer: "Thermometer ausgefallen",
    contact: "Kein Hautkontakt",
    battery: "Batterie schwach",
    "mote-silent": "Sensor stumm",
    "readings-flawed": "Messwerte fehlerhaft",
    "readings-missing": "Messwerte fehlen",
    "battery-ending": "Batterie reicht nicht bis zum Morgen",
    "router-silent": "Router stumm",
    "router-clock": "Uhr des Routers falsch",
    "channel-failed": "Benach\u00adrichtigung fällt aus",
    "disk-filling": "Festplatte fast voll",
    "certificate-ending": "Zertifikat läuft ab",
    "backup-overdue": "Datensicherung fehlt",
    "news2-7": "NEWS2 ist 7 oder mehr",
    "news2-5": "NEWS2 ist 5 oder mehr",
    "news2-3": "NEWS2 mit einer einzelnen 3",
}

export const quantityLabels: Record<VitalName, string> = {
    hr: "Herzfrequenz",
    spo2: "SpO₂",
    temp: "Temperatur",
}

export const spokenUnits: Record<UnitName, string> = {
    "beat/min": "Schläge pro Minute",
    Cel: "Grad Celsius",
    "%": "Prozent",
    "%EL": "Prozent",
    "/": "",
    count: "",
    s: "Sekunden",
}

/** By name; a newer clinic may have one that is not in here. */
export const settings: Partial<Record<string, { label: string; description: string }>> = {
    hrLow: { label: "Herzfrequenz, untere Grenze", description: "Alarm, wenn die Herzfrequenz niedriger ist" },
    hrHigh: { label: "Herzfrequenz, obere Grenze", description: "Alarm, wenn die Herzfrequenz höher ist" },
    tempLow: { label: "Temperatur, untere Grenze", description: "Alarm, wenn die Körpertemperatur niedriger ist" },
    tempHigh: { label: "Temperatur, obere Grenze", description: "Alarm, wenn die Körpertemperatur höher ist" },
    spo2Low: {
        label: "Sauerstoffsättigung, untere Grenze",
        description: "Alarm, wenn die Sauerstoffsättigung niedriger ist",
    },
    delay: {
        label: "Warten vor einem Alarm",
        description: "wie lange ein Wert jenseits der Grenze oder ein Sensor weg sein muss, bis Alarm gegeben wird",
    },
    sample: { label: "Messwert behalten alle", description: "Abstand der Messwerte, die behalten werden" },
    report: {
        label: "Senden mindestens alle",
        description: "wie lange ein Messwert auf andere warten darf, bevor er gesendet wird",
    },
    power: {
        label: "Betriebsart",
        description:
            "durchgehend überwacht ohne Pause; die anderen sparen Batterie und sehen zwischen Messungen nichts",
    },
    every: { label: "Messen alle", description: "Abstand der Messungen, wenn nicht durchgehend gemessen wird" },
    quality: {
        label: "Mindestgüte des Signals",
        description: "aus einem schlechteren Signal wird keine Herzfrequenz gemeldet",
    },
    led: { label: "Größter LED-Strom", description: "so viel darf eine LED des optischen Sensors höchstens ziehen" },
    trial: {
        label: "Neuen Router erproben",
        description: "ohne Quittung bis dahin kehrt der Sensor zum vorigen Router zurück",
    },
    router: {
        label: "Router",
        description: "coap+tcp://HOST:PORT oder coaps+tcp, mqtt, mqtts; leer: wie eingerichtet",
    },
} satisfies Record<ConfigName | "router", { label: string; description: string }>

const problems: Record<ProblemCode, string> = {
    "bad-request": "die Anfrage ist fehlerhaft bei {place} ({rule})",
    "bad-address": "die Adresse ist fehlerhaft",
    "bad-parameter": "{parameter}: {fault}",
    "bad-settings": "{refusal}",
    "bad-batch": "nicht das, was ein Router sendet",
    "too-long-a-time": "mehr als {max} Tage",
    "too-many-steps": "mehr als {max} Schritte",
    "too-costly": "zu viel zu durchsuchen: bitte die Suche einschränken",
    "too-many-patients": "zu viele Patienten, um alle zu durchsuchen: bitte mit patient nennen",
    "has-no-password": "ein Benutzer mit der Rolle {role} hat kein Passwort",
    "needs-patient": "ein Benutzer mit der Rolle {role} braucht einen Patienten",
    "has-no-patient": "ein Benutzer mit der Rolle {role} hat keinen Patienten",
    "needs-wards": "ein Benutzer mit der Rolle {role} braucht Stationen, oder alle",
    "needs-ward": "ein Benutzer mit der Rolle {role} braucht genau eine Station",
    "has-no-wards": "ein Benutzer mit der Rolle {role} hat keine Stationen",
    "has-no-motes": "ein Benutzer mit der Rolle {role} hat keine Sensoren",
    "not-logged-in": "bitte anmelden oder ein gültiges Token senden",
    "bad-credentials": "Benutzername oder Passwort ist falsch",
    "needs-code": "der Code des zweiten Faktors fehlt",
    "bad-code": "der Code ist falsch",
    "passwords-off": "die Anmeldung mit Passwort ist hier ausgeschaltet, oder Name oder Passwort sind falsch",
    "sign-in-over": "die Anmeldung hat zu lange gedauert oder in einem anderen Browser begonnen: bitte von vorn",
    "sign-in-again": "bitte erst neu anmelden: das letzte Mal ist mehr als zehn Minuten her",
    "bad-passkey": "der Passkey ist hier nicht bekannt, oder seine Antwort ist nicht gültig",
    "no-passkeys-here": "Passkeys brauchen einen Namen: diese Adresse ist eine IP-Adresse",
    "too-many-passkeys": "ein Konto hat höchstens {max} Passkeys: bitte einen entfernen",
    "account-off": "dieses Konto ist abgeschaltet",
    "openid-down": "der Anmeldedienst antwortet nicht",
    "openid-refused": "der Anmeldedienst hat abgelehnt",
    "openid-invalid": "die Antwort des Anmeldedienstes ist nicht gültig: bitte von vorn",
    "openid-no-role": "Sie haben hier keine Rolle: keine Ihrer Gruppen steht für eine",
    "openid-two-roles": "Ihre Gruppen stehen für mehr als eine Rolle",
    "openid-no-account": "niemand hat ein Konto für Sie angelegt",
    "openid-no-name": "der Anmeldedienst nennt keinen Benutzernamen ({parameter})",
    "openid-taken": "das Konto dieses Namens gehört jemand anderem",
    "openid-no-sign-out": "beim Anmeldedienst kann man sich von hier aus nicht abmelden",
    "bad-link": "der Link ist verbraucht, abgelaufen oder ersetzt",
    "no-certificate": "ein Router muss ein Zertifikat vorweisen, dem die Klinik vertraut (--client-cert)",
    forbidden: "das ist nicht erlaubt",
    "other-ward": "diese Station ist keine von Ihren",
    "other-patient": "das sind die Daten eines anderen Patienten",
    "more-than-own": "ein eingeschränktes Token vergibt nichts, was es nicht selbst hat",
    "other-site": "das kommt von einer anderen Website (hinter einem Proxy braucht die Klinik --base-url)",
    "not-found": "{what} nicht gefunden",
    "bad-method": "diese Methode gibt es hier nicht",
    "not-acceptable": "hier gibt es nur JSON, wie in application/fhir+json",
    "newer-configuration": "es gibt eine neuere Fassung: bitte zuerst ansehen",
    "nobody-to-tell": "um {time} hat die Eskalation niemanden, dem sie etwas sagt",
    "not-on-the-ward": "der Patient ist nicht auf der Station",
    "more-than-one": "das trifft auf mehr als einen Patienten zu: bitte anders angeben",
    "too-many-open": "{max} Patienten anderer Stationen sind schon geöffnet: bitte einen schließen",
    "mote-in-use": "Patient {patient} trägt den Sensor: zuerst abnehmen, oder bestätigen",
    "patient-known": "Patient {patient} scheint dieselbe Person zu sein: bitte bestätigen, dass es eine andere ist",
    "bed-taken": "Patient {patient} liegt in diesem Bett: bitte bestätigen",
    revoked: "der Sensor ist gesperrt",
    "name-taken": "es gibt schon einen Benutzer dieses Namens",
    "already-acknowledged": "{by} hat ihn schon quittiert",
    "alarm-closed": "der Alarm ist abgeschlossen",
    "alarm-over": "der Alarm ist vorbei: bitte quittieren",
    "nothing-to-undo": "nichts zurückzunehmen: das geht eine Minute lang",
    "on-the-ward": "der Patient ist auf der Station: erst entlassen",
    held: "eine Aufbewahrungspflicht hält die Daten des Patienten: sie muss erst aufgehoben werden",
    "erasure-asked": "das hat schon jemand beantragt",
    "two-people": "wer es beantragt hat, kann es nicht bestätigen: das muss jemand anderes tun",
    "has-second-factor": "es gibt schon einen zweiten Faktor",
    "no-second-factor": "es gibt keinen zweiten Faktor zu bestätigen",
    "own-account": "niemand kann sich selbst entfernen",
    "backup-at-work": "eine andere Datensicherung läuft gerade",
    "too-large": "der Inhalt ist zu groß",
    "media-type": "der Medientyp des Inhalts wird hier nicht angenommen",
    "too-often": "zu viele Anfragen: bitte später noch einmal",
    "too-many-streams": "zu viele offene Seiten dieses Benutzers",
    failed: "die Klinik ist gescheitert",
    full: "zu viele offene Seiten",
    "database-broken": "die Datenbank arbeitet nicht",
    "disk-full": "es kann nichts gespeichert werden: die Platte ist voll",
}

const missing: Record<NonNullable<Problem["what"]>, string> = {
    address: "Adresse",
    backup: "Datensicherung",
    passkey: "Passkey",
    session: "Sitzung",
    token: "Schlüssel",
    alarm: "Alarm",
    erasure: "Löschung",
    hold: "Aufbewahrung",
    mote: "Sensor",
    opening: "Notfallzugriff",
    patient: "Patient",
    resource: "Ressource",
    user: "Benutzer",
}

const faults: Record<NonNullable<Problem["fault"]>, string> = {
    unknown: "kein Parameter dieser Suche",
    empty: "leer",
    repeated: "doppelt angegeben",
    malformed: "fehlerhaft",
    "too-many": "zu viele Werte",
    "bad-modifier": "hat einen Zusatz, den es hier nicht gibt",
}

export function problem(found: Problem): string {
    return problems[found.code].replace(/\{(\w+)\}/g, (_all, name: keyof Problem) => {
        if (name === "what" && found.what) return missing[found.what]
        if (name === "fault") return faults[found.fault ?? "malformed"]
        const value = found[name]
        return typeof value === "object" && value !== null ? refusal(value) : String(value ?? "?")
    })
}

const refusals: Record<RefusalCode, string> = {
    "not-authentic": "nicht echt",
    "version-old": "die Fassung muss über {newest} liegen",
    busy: "der Sensor ist beschäftigt",
    "other-command": "ein anderer Befehl",
    malformed: "keine Einstellungen",
    "too-long": "zu lang für einen Sensor",
    "unknown-setting": "unbekannte Einstellung {setting}",
    "out-of-range": "{setting}: {min} bis {max}",
    conflict: "{setting} passt nicht zu {other}",
    "not-a-router": "Router: coap+tcp://HOST:PORT, coaps+tcp, mqtt oder mqtts, höchstens 64 Bytes",
    "taken-back": "schon einmal abgelehnt oder zurückgenommen; bitte als neue Fassung speichern",
    "flash-full": "der Speicher des Sensors behält es nicht",
    "no-receipt": "keine Quittung innerhalb von {seconds} s",
    "restarted-on-trial": "der Sensor wurde neu gestartet, bevor eine Quittung kam",
    unreachable: "Router: diese Platine braucht einen Namen, ohne TLS",
    unknown: "aus einem Grund, der hier nicht bekannt ist ({number})",
}

export function refusal(found: Refusal, nameOf: (setting: string) => string = name => name): string {
    if (!Object.hasOwn(refusals, found.code)) return found.code
    return refusals[found.code].replace(/\{(\w+)\}/g, (_all, name: keyof Refusal) => {
        const value = found[name]
        if (name === "setting") return nameOf(String(value ?? found.index ?? "?"))
        if (name === "other") return nameOf(String(value ?? "?"))
        return String(value ?? "?")
    })
}
