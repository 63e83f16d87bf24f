const { e2e } = require('../jest.preset.cjs');

module.exports = e2e();
