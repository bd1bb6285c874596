import "./admin.css"
import { PatientsSection } from "./admin-patients.ts"
import { MotesSection } from "./admin-motes.ts"
import { AuditSection } from "./admin-audit.ts"
import { OpeningsSection } from "./admin-openings.ts"
import { RetentionSection } from "./admin-retention.ts"
import { RoutersSection } from "./admin-routers.ts"
import { UsersSection } from "./admin-users.ts"
import type { Session } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** A part of the administration, which loads itself when it is made. */
export interface Section {
    readonly element: HTMLElement
}

/** What each part needs, and what it is; the first that somebody may see is the first that shows. */
const parts = {
    patients: { needs: "manage-patients", make: PatientsSection },
    motes: { needs: "manage-motes", make: MotesSection },
    users: { needs: "manage-users", make: UsersSection },
    routers: { needs: "manage-users", make: RoutersSection },
    openings: { needs: "review-break-glass", make: OpeningsSection },
    retention: { needs: "manage-retention", make: RetentionSection },
    audit: { needs: "verify-audit", make: AuditSection },
} as const
export type AdminPart = keyof typeof parts
const names = Object.keys(parts) as AdminPart[]

/** The parts that somebody may see. */
export function adminParts({ permissions }: Session): AdminPart[] {
    return names.filter(name => permissions.includes(parts[name].needs))
}

/** Who is here, with what, and who may come in: for nurses in charge and administrators. */
export class AdminView implements View {
    readonly element = h("main", { class: "admin" })
    readonly title = t.admin.heading

    /**
     * @param changed is called when who is on the ward has become another
     * @param mote that is shown among the motes
     */
    constructor(user: Session, part: AdminPart, changed: () => void, mote?: string) {
        const nav = h("nav", { class: "rules-wards", "aria-label": t.admin.parts })
        for (const name of adminParts(user)) {
            const link = h("a", { href: `#/admin/${name}` }, t.admin.part[name])
            link.toggleAttribute("aria-current", name === part)
            nav.append(link)
        }
        const section: Section = new parts[part].make(user, changed, mote)
        this.element.append(h("h1", { tabindex: "-1" }, t.admin.heading), nav, section.element)
    }

    update(): void {}
    add(): void {}
    /** What somebody is typing stays. */
    reload(): void {}
    close(): void {}
}
