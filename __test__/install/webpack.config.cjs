'use strict'
module.exports = {
  mode: 'production',
  target: 'node',
  entry: './cjs.cjs',
  // A native add-on finds its binary beside itself: it stays in node_modules.
  externals: { memmap: 'commonjs memmap' },
  node: { __filename: false },
  output: { path: `${__dirname}/bundle`, filename: 'webpack.cjs' },
}
