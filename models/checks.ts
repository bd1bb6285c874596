/*
 * What the models are asked. Each claim must hold in the whole model, and each planted fault must break it: a claim that
 * no fault can break says nothing.
 */

/** A run of `spin` on one of the models. */
export interface SpinCheck {
    /** A name for people and for `npm run models NAME`. */
    name: string
    /** The file in this folder. */
    model: string
    /** Preprocessor symbols: bounds, variants, and planted faults. */
    defines?: string[]
    /** Searches for a cycle without progress (liveness, with weak fairness) instead of a bad state. */
    isLiveness?: boolean
    /** The planted fault, whose trace must be found. Undefined: nothing may be found. */
    fault?: string
    /** Runs only with `--long`. */
    isLong?: boolean
}

const claims: SpinCheck[] = [
    { name: "delivery", model: "delivery.pml" },
    { name: "delivery-ends", model: "delivery.pml", defines: ["LIVE", "ROUTERS=1"], isLiveness: true },
    { name: "nonces", model: "nonces.pml" },
    { name: "nonces-salt", model: "nonces.pml", defines: ["FLASH_RESETS"] },
    { name: "configuration", model: "configuration.pml", defines: ["DELIVERIES=3", "CUTS=1"] },
    {
        name: "configuration-ends",
        model: "configuration.pml",
        defines: ["LIVE", "DELIVERIES=2", "CUTS=1"],
        isLiveness: true,
    },
    { name: "rotation", model: "rotation.pml" },
    { name: "alarms", model: "alarms.pml" },
    { name: "delivery-long", model: "delivery.pml", defines: ["READINGS=3"], isLong: true },
    {
        name: "delivery-ends-long",
        model: "delivery.pml",
        defines: ["LIVE", "ROUTERS=1", "FAULTS=4"],
        isLiveness: true,
        isLong: true,
    },
    { name: "alarms-long", model: "alarms.pml", defines: ["CHANGES=5", "CUTS=3"], isLong: true },
    { name: "configuration-long", model: "configuration.pml", defines: ["DELIVERIES=4", "CUTS=2"], isLong: true },
    {
        name: "configuration-ends-long",
        model: "configuration.pml",
        defines: ["LIVE", "DELIVERIES=3", "CUTS=1"],
        isLiveness: true,
        isLong: true,
    },
]

/** Planted faults by the claim that each breaks; some need another bound to show. */
const faults: Record<string, (string | [fault: string, ...defines: string[]])[]> = {
    delivery: [
        "RECEIPT_WITHOUT_NONCE",
        "RECEIPT_BEFORE_FSYNC",
        "WINDOW_KEPT_AFTER_FAILURE",
        "SETTLED_BEFORE_RESULT",
        "NO_UNIQUE_KEY",
        "BOOT_NOT_COUNTED",
    ],
    "delivery-ends": ["SENT_ONCE"],
    nonces: ["SEALS_BEFORE_COUNTING", "NOT_READ_BACK"],
    "nonces-salt": ["NO_SALT"],
    configuration: [
        "CONFIG_IN_TWO_WRITES",
        "OLDER_VERSION_ACCEPTED",
        "NO_TRIAL",
        "TRIAL_ENDED_BY_OLD_ROUTER",
        "END_NOT_KEPT",
        "COMMAND_EXECUTED_FIRST",
    ],
    "configuration-ends": ["TRIAL_WITHOUT_END"],
    rotation: [
        "OLD_SECRET_ENDS_AT_ROTATION",
        "PREVIOUS_SECRET_FORGOTTEN",
        "STATEMENT_OF_OLD_SECRET",
        ["ROTATED_AGAIN", "ROTATIONS=2"],
    ],
    alarms: ["SENT_BEFORE_FLASH", "END_FORGOTTEN"],
}

/** Every check, the claims first. */
export const spinChecks: readonly SpinCheck[] = [
    ...claims,
    ...claims.flatMap(claim =>
        (faults[claim.name] ?? []).map(entry => {
            const [fault, ...defines] = typeof entry === "string" ? [entry] : entry
            const name = fault.toLowerCase().replaceAll("_", "-")
            return { ...claim, name, fault, defines: [...(claim.defines ?? []), ...defines, fault] }
        }),
    ),
]
