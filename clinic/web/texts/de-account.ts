import type { account as english } from "./en-account.ts"

export const account: typeof english = {
    heading: "Mein Konto",
    passwordHeading: "Passwort",
    passwordHint: "Mindestens 12 Zeichen. Ihre anderen Sitzungen enden.",
    password: "Bisheriges Passwort",
    change: "Passwort ändern",
    changed: "Das Passwort ist geändert, und Ihre anderen Sitzungen sind beendet.",
    factorHeading: "Zweiter Faktor",
    factorHint:
        "Ein Code einer Authenticator-App auf Ihrem Telefon, nach dem bei jeder Anmeldung gefragt wird. Ihr Passwort allein genügt dann nicht.",
    factorIsOn: "Bei der Anmeldung wird nach einem Code gefragt.",
    factorIsOff: "Bei der Anmeldung wird nicht nach einem Code gefragt.",
    factorOn: "Einschalten",
    factorOff: "Ausschalten",
    factorScan: "Scannen Sie dies mit der App, und geben Sie dann den Code ein, den sie zeigt.",
    factorImage: "QR-Code für die Authenticator-App",
    factorSecret: "Oder geben Sie dieses Geheimnis ein:",
    factorCode: "Code, den sie zeigt",
    factorConfirm: "Bestätigen",
    factorRemoved: "Nach einem Code wird nicht mehr gefragt.",
    recovery:
        "Von jetzt an wird nach einem Code gefragt. Jeder von diesen gilt einmal statt eines Codes, wenn das Telefon verloren ist. Sie werden nicht noch einmal gezeigt: Schreiben Sie sie auf.",
    kept: "Ich habe sie aufgeschrieben",
    sessionsHeading: "Wo Sie angemeldet sind",
    sessionColumn: { browser: "Browser", since: "Seit", used: "Zuletzt benutzt", action: "Aktion" },
    unknownBrowser: "unbekannt",
    thisOne: "diese",
    end: "Abmelden",
    endOthers: "Überall sonst abmelden",
    ended: "Dort abgemeldet.",
}
