import type { Clinic } from "../clinic.ts"
import { may } from "../people/permissions.ts"
import { List } from "./schemas/common.ts"
import { Router } from "./schemas/routers.ts"
import type { App } from "./typed-app.ts"

/** The border routers: who they are, and how the clinic hears them. */
export function routerRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/routers",
        {
            schema: {
                tags: ["users"],
                summary: "All routers, and how the clinic hears each",
                response: { 200: List(Router) },
            },
            config: { access: "manage-users", audit: "none" },
        },
        async () => {
            const [users, wards] = [await clinic.accounts.all(), await clinic.accounts.wards()]
            const states = new Map((await clinic.routers.all()).map(state => [state.name, state]))
            const holders = [...(await clinic.grants.holders()).values()].flat()
            return users
                .filter(({ role }) => may({ role, patient: null }, "deliver"))
                .map(({ id, name, prefetch }) => {
                    const {
                        heardAt = null,
                        silentMs = null,
                        clockOffsetMs = null,
                        storeLostAt = null,
                    } = states.get(name) ?? {}
                    return {
                        ...{ user: name, wards: wards.get(id) ?? null, prefetch },
                        ...{ heardAt, silentMs, clockOffsetMs, storeLostAt },
                        motes: holders.filter(holder => holder === name).length,
                    }
                })
        },
    )
}
