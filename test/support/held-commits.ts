import type { RouterStore } from "../../router/store/store.ts"
import type { VirtualClock } from "../../sim/time/clock.ts"

/** Commits of the outbox are on a real disk: virtual time waits for them. */
export function holdCommits(store: RouterStore, clock: VirtualClock): void {
    const append = store.append.bind(store)
    store.append = (...what) => {
        const appended = append(...what)
        if (appended) clock.hold(appended.catch(() => {}))
        return appended
    }
}
