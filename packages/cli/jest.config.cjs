const { unit } = require('../../jest.preset.cjs');

module.exports = unit('cli');
