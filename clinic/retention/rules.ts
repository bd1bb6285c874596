import { ProblemError } from "../errors.ts"
import type { StoredRetentionRule } from "../store/retention.ts"
import type { Store } from "../store/store.ts"
import { faultIn, forGood, inForce, type Periods } from "./periods.ts"

/** In place of a ward: the hospital, which decides for wards that have not, and for what is nobody's. */
export const hospital = ""

/** What a ward has decided last. */
export type RetentionRule = StoredRetentionRule

/** How long each ward keeps what. Without a decision everything is kept. */
export class RetentionRules {
    private readonly store: Store
    private readonly now: () => number

    constructor(store: Store, now: () => number) {
        this.store = store
        this.now = now
    }

    /** The newest of each ward that has ever decided, and of the hospital. */
    async all(): Promise<RetentionRule[]> {
        return [...byWard(await this.store.retention.rules()).values()].map(rules => rules.at(-1)!)
    }

    /**
     * @param periods null: the ward goes by the hospital's, and the hospital keeps everything
     * @param base the version that was seen, 0 for none. Throws ProblemError where there is a newer one, or the periods contradict each other.
     */
    async put(ward: string, o: { periods: Periods | null; author: string; base?: number | undefined }): Promise<void> {
        const { periods, author, base } = o
        const fault = periods && faultIn(periods)
        if (fault) throw new ProblemError("bad-request", { place: `body/${fault}`, rule: "minimum" })
        await this.store.transaction(async t => {
            const { version = 0 } =
                byWard(await t.retention.rules())
                    .get(ward)
                    ?.at(-1) ?? {}
            if (base !== undefined && base !== version) throw new ProblemError("newer-configuration")
            await t.retention.addRule({ ward, version: version + 1, periods, author, madeAt: this.now() })
        })
    }

    /** What holds at a time (unix ms) for a ward; null: of what is on none. */
    async at(at: number): Promise<(ward: string | null) => Periods> {
        const rules = byWard(await this.store.retention.rules())
        const general = inForce(rules.get(hospital) ?? [], at, forGood)
        const known = new Map<string, Periods>()
        return ward => {
            const own = ward === null || ward === hospital ? undefined : rules.get(ward)
            if (!own) return general
            let periods = known.get(ward!)
            if (!periods) known.set(ward!, (periods = inForce(own, at, general)))
            return periods
        }
    }
}

function byWard(rules: readonly StoredRetentionRule[]): Map<string, StoredRetentionRule[]> {
    const found = new Map<string, StoredRetentionRule[]>()
    for (const rule of rules) {
        const own = found.get(rule.ward)
        if (own) own.push(rule)
        else found.set(rule.ward, [rule])
    }
    return found
}
