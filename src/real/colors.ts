import pc from 'picocolors'

/** Colours of text for people: on a terminal and when `FORCE_COLOR` asks for them. A pipe gets plain text, in CI as well. */
export const colors = pc.createColors(
  pc.isColorSupported && (process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined),
)
