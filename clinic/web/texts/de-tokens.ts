import type { tokens as english } from "./en-tokens.ts"

/** Die Token eines Benutzers. */
export const tokens: typeof english = {
    heading: user => `Token von ${user}`,
    link: "Token",
    name: "Name",
    days: "Endet nach Tagen (leer: nie)",
    actions: "Rechte, mit Kommas (leer: alle des Benutzers)",
    wards: "Stationen, mit Komma (leer: die des Benutzers)",
    all: "alle des Benutzers",
    never: "nie",
    nameless: id => `Token ${id}`,
    revoke: "Widerrufen",
    revokeSure: "Dieses Token widerrufen? Was es benutzt, wird von nun an abgelehnt.",
    columns: {
        name: "Name",
        rights: "Rechte",
        made: "Ausgestellt",
        ends: "Endet",
        used: "Zuletzt benutzt",
        action: "Aktion",
    },
}
