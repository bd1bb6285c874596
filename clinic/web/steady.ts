/** After the last movement or key in a list it stays as it is for so long. */
const heldMs = 10_000
/** What has been moved under a pointer takes no click for so long. */
const settleMs = 600

/**
 * The order of a list that people press things in. While somebody is in there with pointer or keyboard nothing moves: what is new comes at
 * the end, what is gone stays, marked `data-gone` and out of reach. An element with the focus keeps it when the order changes.
 */
export class SteadyList {
    private readonly list: HTMLElement
    private readonly movedAt = new WeakMap<Element, number>()
    private wanted: readonly HTMLElement[] = []
    private isPointerIn = false
    private heldUntil = 0
    private timer: number | undefined

    constructor(list: HTMLElement) {
        this.list = list
        const hold = () => this.hold()
        list.addEventListener("pointerenter", ({ pointerType }) => {
            this.isPointerIn = pointerType === "mouse"
            hold()
        })
        for (const type of ["pointermove", "pointerdown", "keydown", "focusin", "scroll"] as const)
            list.addEventListener(type, hold, { passive: true })
        list.addEventListener("pointerleave", ({ pointerType }) => {
            this.isPointerIn = false
            if (pointerType === "mouse") this.release()
        })
    }

    /** Shows these in this order, now or when nobody is in there any more. */
    show(wanted: readonly HTMLElement[]): void {
        this.wanted = wanted
        this.arrange()
    }

    /** Whether a click on an element of the list is meant for it. */
    takesClick(element: Element): boolean {
        const movedAt = this.movedAt.get(element)
        return movedAt === undefined || performance.now() - movedAt > settleMs
    }

    close(): void {
        clearTimeout(this.timer)
    }

    private hold(): void {
        this.heldUntil = performance.now() + heldMs
        clearTimeout(this.timer)
        this.timer = window.setTimeout(() => this.arrange(), heldMs + 1)
    }

    private release(): void {
        this.heldUntil = 0
        clearTimeout(this.timer)
        this.arrange()
    }

    private arrange(): void {
        const { list, wanted } = this
        const shown = [...list.children] as HTMLElement[]
        const isHeld = performance.now() < this.heldUntil
        const isWanted = new Set<Element>(wanted)
        for (const element of shown)
            for (const mark of ["data-gone", "inert"]) element.toggleAttribute(mark, !isWanted.has(element))
        const order = isHeld ? [...shown, ...wanted.filter(element => element.parentElement !== list)] : wanted
        if (order.length === shown.length && order.every((element, i) => element === shown[i])) return
        if (this.isPointerIn && !isHeld)
            for (const [i, element] of order.entries())
                if (shown[i] !== element && element.parentElement === list) this.movedAt.set(element, performance.now())
        this.place(order)
    }

    private place(order: readonly HTMLElement[]): void {
        const { list } = this
        const focused = order.findIndex(element => element.contains(document.activeElement))
        const keep = new Set<Element>(order)
        for (const element of [...list.children]) if (!keep.has(element)) element.remove()
        if (focused < 0) return list.replaceChildren(...order)
        const anchor = order[focused]!
        if (anchor.parentElement !== list) return list.replaceChildren(...order)
        // Around the one with the focus, which would lose it if it were moved itself.
        for (const element of order.slice(0, focused)) list.insertBefore(element, anchor)
        for (const element of order.slice(focused + 1)) list.append(element)
    }
}
