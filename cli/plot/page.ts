import { drawFigure } from "./draw.ts"
import type { Figure } from "./figure.ts"
import { escape } from "./svg.ts"

export function drawPage(figure: Figure): string {
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(figure.title)}</title>${drawFigure(figure)}</html>`
}
