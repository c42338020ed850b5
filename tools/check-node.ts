// Stops before anything else when `npm run` silently fell back to an older Node than this project needs.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `This is Node ${process.versions.node}, 22.18 or newer is needed. "npm ci" brings Node 24 with the development ` +
      'dependencies; if it was run with --ignore-scripts or --omit=dev, run it again without.\n',
  )
  process.exit(1)
}
