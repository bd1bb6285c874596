/** `full`: no room on the disk. `broken`: the disk or the database does not work. */
export type StoreFailureKind = "full" | "broken"

/** The store cannot do what it is asked, for a reason that is not in what was asked; it may be able to later. */
export class StoreFailure extends Error {
    readonly kind: StoreFailureKind

    constructor(kind: StoreFailureKind, cause: unknown) {
        super(kind === "full" ? "the disk is full: nothing can be stored" : "the database does not work", { cause })
        this.kind = kind
    }
}
