/** Which elements are on the screen, or nearly: what nobody sees need not be drawn. */
export class Visible {
    private readonly shown = new Set<Element>()
    private readonly observer: IntersectionObserver

    /** @param appeared is called with an element that comes into sight */
    constructor(appeared: (element: Element) => void) {
        this.observer = new IntersectionObserver(
            entries => {
                for (const { target, isIntersecting } of entries) {
                    if (!isIntersecting) this.shown.delete(target)
                    else if (!this.shown.has(target)) {
                        this.shown.add(target)
                        appeared(target)
                    }
                }
            },
            { rootMargin: "200px" },
        )
    }

    watch(element: Element): void {
        this.observer.observe(element)
    }

    forget(element: Element): void {
        this.observer.unobserve(element)
        this.shown.delete(element)
    }

    has(element: Element): boolean {
        return this.shown.has(element)
    }

    close(): void {
        this.observer.disconnect()
    }
}
