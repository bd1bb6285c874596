/*
 * The codes of the router in words, and what to do about them.
 */

/** Why the router refuses an envelope. */
export const refusals: Record<string, string> = {
    tooLarge: "too large",
    malformed: "no envelope",
    unknownFormat: "of an unknown format",
    unknownKid: "unknown mote",
    badMac: "wrong MAC",
    olderBoot: "from before the newest start",
    otherSalt: "another start with the same number",
    belowWindow: "too old for the replay window",
    keysAwaited: "keys awaited",
    clinicAway: "new mote while the clinic is away",
    busy: "router busy or full",
}

/** What to do where a known mote is refused. Reasons that pass by themselves are not here. */
export const refusalAdvice: Record<string, string> = {
    badMac: "Its secret is not the one that the clinic has: provision it again. If it also sends well, somebody else uses its name.",
    unknownFormat: "Its firmware is newer than this router: update the router.",
    malformed: "Its firmware is damaged, or something between changes what it sends.",
    olderBoot: "Its flash went back to an earlier state, or somebody repeats old envelopes: rotate its secret.",
    otherSalt: "Two boards may have the same identity: provision one of them again.",
    tooLarge: "It sends more than a mote can: check its firmware.",
}

/** Why the clinic refused a dead letter, and what to do. */
export const deadLetterAdvice: Record<string, string> = {
    malformed: "Its contents are damaged: keep it for whoever maintains the firmware, then drop it.",
    "unknown-format":
        "The clinic is older than the mote: update the clinic, then start the router with --retry-refused.",
    "unknown-mote":
        "The clinic does not know the mote: restore it there and start the router with --retry-refused, or drop it.",
    revoked: "The mote is revoked: drop it, and take the mote out of use.",
    "wrong-mac": "Not from the mote, or its secret was changed meanwhile: drop it.",
    altered: "Somebody who has this router’s keys has changed it: tell whoever is responsible for security.",
    "old-secret": "Sealed with a secret that has been changed since: drop it.",
    "nonce-reused": "Another envelope with its number is stored: tell whoever is responsible for security.",
}

export const waitingNames: Record<string, string> = {
    config: "configuration",
    identify: "command to blink",
    clear: "command to clear the queue",
}

/** What came of sending a message to a mote. */
export function outcomeText(outcome: string | null): string {
    switch (outcome) {
        case null:
            return "not sent yet"
        case "late":
            return "the mote did not respond"
        case "closed":
            return "the mote disconnected meanwhile"
        case "busy":
            return "the mote is busy"
        case "tooLarge":
            return "too large for the mote"
    }
    return /^2\./.test(outcome) ? `taken (${outcome}), its next envelope confirms it` : `the mote answered ${outcome}`
}
