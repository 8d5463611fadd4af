// The fuzzers' corpus, and what they found, without a fuzzer: every file is read or refused. Files called
// valid-… are valid, all others are not.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/fuzz/targets.hpp"

namespace nngpcheck::testing {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, IsReadOrRefused) {
  const Workplace workplace(GetParam().name);
  int valid = 0, refused = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(NNGPCHECK_CORPUS) / GetParam().name)) {
    const bool expected = entry.path().filename().string().starts_with("valid-");
    EXPECT_EQ(workplace.read(contents(entry.path())), expected) << entry.path();
    ++(expected ? valid : refused);
  }
  EXPECT_GT(valid, 0);
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(targets()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace nngpcheck::testing
