// One libFuzzer executable per target: whatever is thrown besides InputError is a finding.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nngpcheck::testing::Workplace workplace(NNGPCHECK_FUZZ_TARGET);
  workplace.read({reinterpret_cast<const char*>(data), size});
  return 0;
}
