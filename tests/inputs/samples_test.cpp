#include "nngpcheck/inputs/samples.hpp"

#include "tests/files/array_bytes.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::inputs {
namespace {

using Eigen::MatrixXd;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Form::Kind;

/// Samples whose numbers are 0, 1, …, in C order; bytes, or doubles.
Samples samples(const std::vector<std::uint64_t>& shape, bool are_bytes = false, bool images = false) {
  std::uint64_t size = 1;
  for (const std::uint64_t length : shape) size *= length;
  std::vector<double> numbers;
  for (std::uint64_t k = 0; k < size; ++k) numbers.push_back(static_cast<double>(k));
  const files::NumberType byte{files::NumberType::Kind::unsigned_integer, 1};
  return {.array = are_bytes ? files::Array::dense("a", std::string(size, '\1'), 0, byte, shape)
                             : files::Array::dense("a", files::bytes(numbers), 0, {}, shape),
          .images = images};
}

Form form(const std::vector<std::uint64_t>& shape, const FormKeys& keys = {}) {
  return form_of(samples(shape), keys);
}

std::string error(const std::vector<std::uint64_t>& shape, const FormKeys& keys = {}) {
  return error_of([&] { form(shape, keys); });
}

void expect_grid(const Form& form, const std::vector<Eigen::Index>& grid, Layout layout) {
  EXPECT_EQ(form.kind, Kind::grid);
  EXPECT_EQ(form.grid, grid);
  EXPECT_EQ(form.layout, layout);
}

TEST(Form, OfRows) {
  EXPECT_EQ(form({2, 48}).kind, Kind::vectors);
  expect_grid(form({2, 16}, {.grid = {{4, 4}}}), {4, 4}, Layout::channels_first);
  EXPECT_EQ(form({2, 16}, {.grid = {{4, 4}}}).doubt, "");
  EXPECT_THAT(
      form({2, 48}, {.grid = {{4, 4}}}).doubt,
      AllOf(HasSubstr(
                "rows of 48 numbers on a grid of 16 positions are read as 3 channels, channel by channel"),
            HasSubstr("layout = \"channels_last\"")));
  const Form last = form({2, 48}, {.grid = {{4, 4}}, .layout = Layout::channels_last});
  expect_grid(last, {4, 4}, Layout::channels_last);
  EXPECT_EQ(last.doubt, "");
  EXPECT_EQ(form({2, 48}, {.grid = {{4, 4}}, .flat = true}).kind, Kind::vectors);
  EXPECT_THAT(error({2, 48}, {.grid = {{5}}}),
              HasSubstr("inputs.grid = [5]: a row of the file holds 48 numbers"));
  EXPECT_THAT(error({2, 48}, {.layout = Layout::channels_last}), HasSubstr("no layout without a grid"));
  EXPECT_THAT(error({2, 48}, {.lengths = true}), HasSubstr("leave lengths out"));
  EXPECT_THAT(error({6}), AllOf(HasSubstr("shape (6,)"), HasSubstr("it.reshape(-1, 1)")));
}

TEST(Form, OfImagesIsSureByTheirAxes) {
  expect_grid(form({2, 3, 32, 32}), {32, 32}, Layout::channels_first);
  expect_grid(form({2, 32, 32, 3}), {32, 32}, Layout::channels_last);
  expect_grid(form({2, 64, 8, 8}), {8, 8}, Layout::channels_first);
  expect_grid(form({2, 3, 4, 4}), {4, 4}, Layout::channels_first);
  expect_grid(form({2, 1, 28, 20}), {28, 20}, Layout::channels_first);
  expect_grid(form({2, 28, 20, 3}), {28, 20}, Layout::channels_last);
  expect_grid(form({2, 2, 5, 5, 5}), {5, 5, 5}, Layout::channels_first);
  for (const std::vector<std::uint64_t>& shape :
       std::vector<std::vector<std::uint64_t>>{{2, 3, 3, 3}, {2, 3, 32, 3}, {2, 8, 9, 10}, {2, 1, 5, 3}}) {
    EXPECT_THAT(error(shape),
                AllOf(HasSubstr("these may be"), HasSubstr("write layout = \"channels_first\"")));
    EXPECT_EQ(form(shape, {.layout = Layout::channels_last}).layout, Layout::channels_last);
  }
  EXPECT_EQ(form({2, 3, 32, 32}, {.flat = true}).kind, Kind::vectors);
  EXPECT_EQ(form({2, 3, 3, 3}, {.reads = "vectors"}).kind, Kind::vectors);
  EXPECT_EQ(form({2, 3, 32, 32}, {.flat = false, .reads = "vectors"}).kind, Kind::grid);
  EXPECT_THAT(error({2, 1, 2, 3, 4, 5}), HasSubstr("at most three axes"));
}

TEST(Form, OfTwoAxes) {
  EXPECT_EQ(form({2, 3, 5}).kind, Kind::sequences);
  EXPECT_EQ(form({2, 3, 3}, {.reads = "sequences"}).kind, Kind::sequences);
  EXPECT_EQ(form({2, 3, 3}, {.lengths = true}).kind, Kind::sequences);
  EXPECT_THAT(error({2, 3, 3}),
              AllOf(HasSubstr("grid = [3, 3] for images of 3×3"), HasSubstr("layout = \"channels_last\"")));
  EXPECT_THAT(error({2, 3, 5}, {.reads = "grids"}), HasSubstr("grid = [3, 5]"));
  expect_grid(form({2, 3, 3}, {.reads = "grids"}), {3, 3}, Layout::channels_first);
  expect_grid(form({2, 3, 5}, {.grid = {{3, 5}}}), {3, 5}, Layout::channels_first);
  expect_grid(form({2, 3, 5}, {.grid = {{3}}}), {3}, Layout::channels_last);
  expect_grid(form({2, 3, 5}, {.grid = {{5}}}), {5}, Layout::channels_first);
  expect_grid(form({2, 3, 5}, {.layout = Layout::channels_first}), {5}, Layout::channels_first);
  EXPECT_THAT(error({2, 3, 5}, {.grid = {{4}}}),
              HasSubstr("the grid [4] is not what its axes say; leave it out"));
  EXPECT_THAT(error({2, 3, 3}, {.grid = {{3}}}), HasSubstr("fits with the channels first and last"));
  EXPECT_THAT(error({2, 3, 5}, {.grid = {{3}}, .layout = Layout::channels_first}),
              HasSubstr("in this layout"));
}

TEST(Form, OfPictures) {
  expect_grid(form_of(samples({2, 28, 28}, true), {}), {28, 28}, Layout::channels_first);
  expect_grid(form_of(samples({2, 28, 20}, true, true), {}), {28, 20}, Layout::channels_first);
  EXPECT_EQ(form_of(samples({2, 28, 28}, true), {.reads = "vectors"}).kind, Kind::vectors);
  EXPECT_EQ(form_of(samples({2, 28, 28}, true), {.reads = "sequences"}).kind, Kind::sequences);
}

TEST(Inputs, AreTheSameInBothLayouts) {
  // Sample 1, channel c at (y, x): 12 + 4 c + 2 y + x channels first, 12 + 6 y + 3 x + c last.
  const Inputs first =
      make_inputs(samples({2, 3, 2, 2}), {Kind::grid, {2, 2}, Layout::channels_first}, {1, 1});
  const Inputs last = make_inputs(samples({2, 2, 2, 3}), {Kind::grid, {2, 2}, Layout::channels_last}, {1, 1});
  EXPECT_EQ(first.data, (MatrixXd{{12, 13, 14, 15}, {16, 17, 18, 19}, {20, 21, 22, 23}}));
  EXPECT_EQ(last.data, (MatrixXd{{12, 15, 18, 21}, {13, 16, 19, 22}, {14, 17, 20, 23}}));
  EXPECT_EQ(first.labels, last.labels);
  EXPECT_EQ(first.labels.back(), "0:1,1");
}

TEST(Inputs, AreSequences) {
  const Samples two = samples({2, 3, 2});
  const Inputs all = make_inputs(two, {Kind::sequences}, {0, 2});
  EXPECT_EQ(all.data, (MatrixXd{{0, 2, 4, 6, 8, 10}, {1, 3, 5, 7, 9, 11}}));
  EXPECT_THAT(all.lengths, ElementsAre(3, 3));
  const Inputs cut = make_inputs(two, {Kind::sequences}, {0, 2}, {1, 2});
  EXPECT_EQ(cut.data, (MatrixXd{{0, 6, 8}, {1, 7, 9}}));
  EXPECT_THAT(cut.labels, ElementsAre("0:0", "1:0", "1:1"));
  EXPECT_NO_THROW(validate(cut));
}

TEST(Inputs, HaveTheirTextsAsLabels) {
  Samples two = samples({3, 1});
  two.texts = {"a", "b", "a"};
  EXPECT_THAT(make_inputs(two, {}, {0, 2}).labels, ElementsAre("a", "b"));
  EXPECT_THAT(make_inputs(two, {}, {0, 3}).labels, ElementsAre("0 a", "1 b", "2 a"));
  EXPECT_THAT(make_inputs(two, {}, {1, 2}).labels, ElementsAre("b", "a"));
}

TEST(Inputs, HaveARange) {
  const Samples ones = samples({1, 1}, true);
  EXPECT_EQ(make_inputs(ones, {}, {0, 1}).data(0, 0), 1);
  EXPECT_EQ(make_inputs(ones, {}, {0, 1}, {}, std::pair(0.0, 255.0)).data(0, 0), 1);
  EXPECT_EQ(make_inputs(ones, {}, {0, 1}, {}, std::pair(-1.0, 1.0)).data(0, 0), 1 / 127.5 - 1);
}

}  // namespace
}  // namespace nngpcheck::inputs
