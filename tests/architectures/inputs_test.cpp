#include "architectures/inputs.hpp"

#include <limits>

#include "tests/architectures/fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;

TEST(Inputs, ValidOnesPass) {
  validate(vectors(1));
  validate(sentences({2, 3, 1}));
  EXPECT_EQ(vectors(4).count(), 4);
  EXPECT_EQ(vectors(4).dimension(), 3);
}

TEST(Inputs, Refused) {
  const auto refused = [](auto spoil, std::initializer_list<const char*> parts) {
    Inputs inputs = sentences({2, 1});
    spoil(inputs);
    expect_refused([&] { validate(inputs); }, "", parts);
  };
  expect_refused([] { validate(Inputs{}); }, "", {"the inputs are empty", "give at least one column"});
  refused([](Inputs& i) { i.data.resize(0, 3); }, {"the inputs are empty", "at least one dimension"});
  refused([](Inputs& i) { i.data(2, 1) = std::nan(""); }, {"not finite"});
  refused([](Inputs& i) { i.data(0, 0) = std::numeric_limits<double>::infinity(); }, {"not finite"});
  refused([](Inputs& i) { i.labels.pop_back(); }, {"3 columns but 2 labels", "give one per column"});
  refused([](Inputs& i) { i.labels[2] = i.labels[0]; }, {"two inputs have the same label", "must differ"});
  refused([](Inputs& i) { i.lengths = {3, 0}; }, {"a sequence is empty", "at least one token"});
  refused([](Inputs& i) { i.lengths = {2, 2}; }, {"4 tokens but the inputs 3 columns", "must add up"});
}

}  // namespace
}  // namespace nngpcheck::architectures
