import { SECTIONS, type Scenario, type Section } from './scenario.ts'

/** All scenarios by section, a line each with their modes. */
export function listText(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  const lines: string[] = []
  for (const section of sectionsOf(scenarios)) {
    lines.push(`${section}. ${SECTIONS[section]}`)
    for (const { name, summary, modes } of ofSection(scenarios, section)) {
      lines.push(`  ${name.padEnd(width)}  ${modes.join(' ').padEnd(14)}  ${summary}`)
    }
  }
  return lines.join('\n')
}

/** The same as data, on one line. */
export function listJson(scenarios: readonly Scenario[]): string {
  const rows = sectionsOf(scenarios).flatMap((section) => ofSection(scenarios, section))
  return JSON.stringify(
    rows.map(({ name, section, number, summary, lesson, modes, defaultMode, ...rest }) => ({
      name,
      section,
      number,
      summary,
      lesson,
      modes,
      defaultMode,
      invariants: rest.invariants,
      expect: rest.expect.map((each) => each.name),
      twins: rest.twins.map((twin) => twin.name),
    })),
  )
}

function sectionsOf(scenarios: readonly Scenario[]): readonly Section[] {
  return [...new Set(scenarios.map(({ section }) => section))].sort()
}

function ofSection(scenarios: readonly Scenario[], section: Section): readonly Scenario[] {
  return scenarios
    .filter((scenario) => scenario.section === section)
    .toSorted((a, b) => a.number - b.number)
}
