import type { Clinic } from "../clinic.ts"
import { admitWard } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { ByWard, WardRules, WardRulesBody } from "./schemas/ward-rules.ts"
import type { App } from "./typed-app.ts"

const tags = ["alarms"]

/** What a ward has decided about its alarms: who is told when nobody comes, how long an acknowledgement holds, priorities. */
export function wardRuleRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/wards/:ward/alarms",
        {
            schema: {
                tags,
                summary: "A ward's alarm rules, and whom one can tell",
                params: ByWard,
                response: { 200: WardRules },
            },
            config: { access: "read-rules", audit: "rules" },
        },
        async request => {
            admitWard(request, request.params.ward)
            return shown(clinic, request.params.ward)
        },
    )

    app.put(
        "/api/wards/:ward/alarms",
        {
            schema: {
                tags,
                summary: "New alarm rules for a ward",
                params: ByWard,
                body: WardRulesBody,
                response: { 200: WardRules },
            },
            config: { access: "set-rules", audit: "rules" },
        },
        async request => {
            admitWard(request, request.params.ward)
            const { settings, base } = request.body
            await clinic.wardRules.put(request.params.ward, settings, userFrom(request).name, base)
            return shown(clinic, request.params.ward)
        },
    )
}

function shown({ wardRules }: Clinic, ward: string) {
    const { settings = null, version = 0, author = null, madeAt = null } = wardRules.get(ward) ?? {}
    return { ward, version, author, madeAt, settings, receivers: wardRules.receivers }
}
