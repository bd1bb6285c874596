import { h } from "../../browser/dom.ts"
import { kinds, orders, type Selection } from "./selection.ts"
import { t } from "./texts/language.ts"

/** Search and filter of the ward. Every change shows at once. */
export class Toolbar {
    readonly element = h("form", { class: "toolbar", role: "search" })
    private readonly selection: Selection
    private readonly changed: () => void
    private readonly ward = h("select", { "aria-label": t.ward.whichWard })
    private wards: readonly string[] = []

    constructor(selection: Selection, changed: () => void, o: { withSearch: boolean }) {
        this.selection = selection
        this.changed = changed
        const search = h("input", { type: "search", placeholder: t.ward.search, "aria-label": t.ward.search })
        search.value = selection.text
        search.addEventListener("input", () => this.set({ text: search.value }))
        this.ward.addEventListener("change", () => this.set({ ward: this.ward.value }))
        this.element.addEventListener("submit", event => event.preventDefault())
        this.element.append(
            ...(o.withSearch ? [search] : []),
            this.ward,
            choice(t.ward.whom, kinds, t.ward.kinds, selection.kind, kind => this.set({ kind })),
            choice(t.ward.order, orders, t.ward.orders, selection.order, order => this.set({ order })),
        )
        this.showWards([])
    }

    /** A choice of wards is there where there are several. */
    showWards(wards: readonly string[]): void {
        if (this.wards.join("\n") === wards.join("\n") && this.ward.options.length > 0) return
        this.wards = wards
        const { ward } = this.selection
        const listed = ward === "" || wards.includes(ward) ? wards : [...wards, ward]
        this.ward.replaceChildren(
            ...["", ...listed].map(name => h("option", { value: name }, name || t.ward.everyWard)),
        )
        this.ward.value = ward
        this.ward.hidden = listed.length < 2
    }

    private set(changes: Partial<Selection>): void {
        Object.assign(this.selection, changes)
        this.changed()
    }
}

function choice<T extends string>(
    label: string,
    values: readonly T[],
    texts: Record<T, string>,
    value: T,
    chosen: (value: T) => void,
): HTMLSelectElement {
    const select = h("select", { "aria-label": label })
    select.append(...values.map(each => h("option", { value: each }, texts[each])))
    select.value = value
    select.addEventListener("change", () => chosen(values.find(each => each === select.value) ?? value))
    return select
}
