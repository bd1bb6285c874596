import { UserError } from "../../host/errors.ts"

/** Several faults, each printed on a line of its own. */
export class Faults extends UserError {
    readonly faults: readonly string[]

    constructor(faults: readonly string[]) {
        super(faults.join("; "), 2)
        this.faults = faults
    }
}

/** Ends `--check`: throws Faults, or says that all is well. */
export function report(faults: readonly string[], notes: readonly string[] = []): void {
    for (const note of notes) console.error(note)
    if (faults.length > 0) throw new Faults(faults)
    console.log("the configuration is good")
}
