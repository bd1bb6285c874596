import type { passkeys as english } from "./en-passkeys.ts"

export const passkeys: typeof english = {
    signIn: "Anmelden mit einem Passkey",
    instead: "Stattdessen einen Passkey nehmen",
    heading: "Passkeys",
    hint: "Anmelden mit Fingerabdruck, Gesicht oder PIN Ihres Geräts oder mit einem Sicherheitsschlüssel, ohne Passwort. Ein Passkey gilt nur auf dieser Seite, deshalb kann ihn niemand abfischen.",
    name: "Name, zum Beispiel des Geräts",
    add: "Passkey hinzufügen",
    added: "Der Passkey ist hinzugefügt.",
    rename: "Umbenennen",
    removeSure: name => `Den Passkey ${name} entfernen? Niemand meldet sich mehr damit an.`,
    never: "nie",
    column: { name: "Name", made: "Hinzugefügt", used: "Zuletzt benutzt", action: "Aktion" },
    factorIsOn: "Nach dem Passwort wird nach einem Passkey gefragt oder nach einem Code der App.",
    factorIsOff: "Das Passwort allein genügt, ohne Passkey.",
    factorOn: "Nach dem Passwort nach einem Passkey fragen",
    factorOff: "Nach dem Passwort nicht nach einem Passkey fragen",
    noName: "Passkeys gehen hier nicht: sie brauchen einen Namen, und diese Klinik hat nur eine IP-Adresse.",
    elsewhere: origin => `Passkeys gelten nur auf ${origin}.`,
    unsupported: "Dieser Browser hat keine Passkeys.",
    stopped: "der Passkey wurde nicht benutzt",
    there: "dieses Gerät hat schon einen Passkey von Ihnen",
}
