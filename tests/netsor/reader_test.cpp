// Programs as text: what is written is read as the same program, and what is no program is refused at its
// place.
#include "nngpcheck/netsor/reader.hpp"

#include <gmock/gmock.h>

#include <map>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/rewrite.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/support/error.hpp"
#include "tests/analytic/random_program.hpp"
#include "tests/netsor/everything.hpp"
#include "tests/netsor/same_program.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::difference;
using nngpcheck::testing::everything;
using nngpcheck::testing::matrix;
using ::testing::AllOf;
using ::testing::HasSubstr;

Program read(const std::string& text) { return read_text(text, "p.netsor"); }

/// A program with one line that may be wrong, the fifth.
std::string with(const std::string& line) {
  return "Input: U : A(n, 1), iid N(0, 1/1)\nInput: W : A(n, 2n), iid N(0, 1/(2n))\nMatrix: D := [1 2]\n"
         "g := U D\n" +
         line + "\nOutput: vᵀ g / √n, v ~ N(0, 1)\n";
}

void expect_round_trip(const Program& program) {
  const std::string text = write_text(program);
  const Program again = read(text);
  ASSERT_EQ(difference(program, again), "") << text;
  ASSERT_EQ(write_text(again), text);
}

TEST(Text, OfEveryInstructionIsReadAsTheSameProgram) { expect_round_trip(everything()); }

TEST(Text, OfRandomProgramsIsReadAsTheSameProgram) {
  for (unsigned seed = 0; seed < 10'000; ++seed) {
    expect_round_trip(testing::RandomProgram(seed).make());
    if (HasFatalFailure()) FAIL() << seed;
  }
}

TEST(Text, OfOtherProgramsIsOfOtherPrograms) {
  const Program program = everything();
  const std::string text = write_text(program);
  for (const auto& [what, instead] : std::map<std::string, std::string>{{"N(0, 1.5/n)", "N(0, 1.25/n)"},
                                                                        {"N(0.25, 0.5)", "N(0.5, 0.5)"},
                                                                        {"v ~ N(0, 3)", "v ~ N(0, 2)"},
                                                                        {"[1 0 2", "[1 0 3"},
                                                                        {"[1 0 1 1", "[1 0 2 1"},
                                                                        {"[0 1 0 1]", "[0 1 1 0]"},
                                                                        {"ε = 0.1", "ε = 0.2"},
                                                                        {"x*tanh(y)", "x*erf(y)"},
                                                                        {"t15 - 0.5 t26", "t15 + 0.5 t26"},
                                                                        {"max(g6, x11)", "x11 ⊙ g6"},
                                                                        {"x14ᵀ x12", "x12ᵀ x14"},
                                                                        {"\"a\", \"b\"", "\"a\", \"e\""},
                                                                        {"t23 + 0.001", "t23 + 0.002"}}) {
    std::string other = text;
    ASSERT_NE(other.find(what), std::string::npos) << what << "\n" << text;
    other.replace(other.find(what), what.size(), instead);
    EXPECT_NE(difference(program, read(other)), "") << instead;
  }
}

/// Names, widths, origins and labels that no generator makes.
TEST(Text, OfUnusualNamesAndPlaces) {
  Builder b;
  const auto labels = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"0:0 a", "quote \" and \\", "line\nend // no comment"});
  b.set_origin(std::make_shared<const Origin>(Origin{"conv1 # 1", {labels}}));
  const BundleId g =
      b.input(b.input_weight({"g1", Width(3, 2), 2, 0.1 + 0.2}), matrix({{1e-300, -0.5, 1}, {1, 2, 3}}));
  b.set_origin(std::make_shared<const Origin>(Origin{"", {}}));
  const BundleId h = b.matmul(b.weight({"W (2)", Width(4), Width(3, 2), 1.0 / 3}), g);
  b.set_origin(nullptr);
  const BundleId x = b.map(Activation::from_expression("max(x, 0) < 1 ? x : 1/x^2"), h);
  const BundleId y = b.map(Activation::from_expression("x*abs(x)", "own", std::vector<double>{-0.5, 0}), x);
  const BundleId z = b.map(Activation::named("leaky_relu_-0.1"), y);
  const BundleId w = b.map(Activation::named("threshold_0.1_20"), z);
  const TableId t = b.apply(Product{}, {b.apply(Sum{{1}}, {b.gram(w, w)})});
  const BundleId o = b.mix(b.ones(Width(4)), b.apply(Rsqrt{}, {b.mean(w)}));
  b.output(b.readout({"layers.0.weight[:, n:]", 2}), {b.add({{1, b.mix(w, t)}, {-2.5, o}}), h}, *labels);
  const Program program = std::move(b).build();
  expect_round_trip(program);
  const std::string text = write_text(program);
  EXPECT_THAT(text, HasSubstr(R"(Input:  "g1" : A(3n/2, 2), iid N(0, 0.30000000000000004/2))"));
  EXPECT_THAT(text, HasSubstr(R"(Function: own(x) kinks [-0.5, 0] := x*abs(x))"));
  EXPECT_THAT(text, HasSubstr(R"("max(x, 0) < 1 ? x : 1/x^2"(g2))"));
}

TEST(Text, OfSparseMatrices) {
  const Program program = read(with("Matrix: M := sparse(2, 3; 1 2 -1; 0 0 0.5; 1 2 3; 1 0 0)\nx := g M"));
  const auto& mix = std::get<Mix>(program.nodes()[1].operation);
  EXPECT_EQ(Eigen::MatrixXd(*mix.matrix), matrix({{0.5, 0, 0}, {0, 0, 2}}));
}

TEST(Text, HasLargeConstantsInFiles) {
  Builder b;
  const Eigen::MatrixXd data = Eigen::MatrixXd::Random(7, 11);
  const BundleId g = b.input(b.input_weight({"U", {}, 7}), data);
  SparseMatrix many = Eigen::MatrixXd::Random(11, 9).sparseView();
  const BundleId x = b.mix(g, many);
  b.output(b.readout({"v"}), b.mix(x, Eigen::MatrixXd::Identity(9, 8).sparseView()));
  const Program program = std::move(b).build();
  std::map<std::string, Eigen::MatrixXd> files;
  const std::string text = write_text(program, [&](const std::string& name, const Eigen::MatrixXd& saved) {
    files[name + ".npy"] = saved;
    return name + ".npy";
  });
  EXPECT_EQ(files.size(), 2);
  EXPECT_EQ(files.at("D1.npy"), data);
  EXPECT_THAT(text,
              AllOf(HasSubstr("Matrix: D1 := \"D1.npy\"\n"), HasSubstr("M2 := sparse(11, 9; \"M2.npy\")"),
                    HasSubstr("M3 := select(9; 0, 1, 2, 3, 4, 5, 6, 7)")));
  const LoadMatrix load = [&](const std::string& file) { return files.at(file); };
  EXPECT_EQ(difference(program, read_text(text, "p.netsor", load)), "");
  EXPECT_THROW(read(text), InputError);
}

TEST(Text, CanBeTypedWithoutGreek) {
  const Program program = read(R"(# a comment
Input: U : A(n, 2), iid N(0, 1)      // the same as N(0, 2/2)
Input: W : A(n, n), iid N(0, 2/n)
Input: b : G(n), iid N(0, 0.1)
Matrix: D := [1, 0, 1;
              0, 1, -1]

g := U D
x := relu(g)
y := W x
h := y + b
z := x * h                            // coordinatewise
t := z' x / n
k := 1/sqrt(t + 0.5)
m := standardize(x; eps = 1)
Output: v' z / sqrt(n), v ~ N(0, 1)
)");
  EXPECT_EQ(print(program), R"(Input:  U : A(n, 2), iid N(0, 2/2)
Input:  W : A(n, n), iid N(0, 2/n)
Input:  b : G(n), iid N(0, 0.1)
 1: g1 := U D1 : G(n)^3    // D1 is 2×3
 2: x2 := relu(g1) : H(n)^3
 3: g3 := W x2 : G(n)^3
 4: g4 := b : G(n)^1
 5: g5 := g3 + g4 : G(n)^3
 6: x6 := x2 ⊙ g5 : H(n)^3
 7: t7 := x6ᵀ x2 / n : R^{3×3}
 8: t8 := 1/√(t7 + 0.5) : R^{3×3}
 9: x9 := standardize(x2; ε = 1) : H(n)^3
Output: vᵀ x6 / √n, v ~ N(0, 1), 3 columns
)");
}

TEST(Text, OfCppFunctionsIsRefused) {
  const auto program = [](const Activation& phi) {
    Builder b;
    b.output(b.readout({"v"}), b.map(phi, b.input(b.input_weight({"U", {}, 1}), matrix({{1}}))));
    return std::move(b).build();
  };
  EXPECT_NO_THROW(write_text(program(Activation::from_expression("x*x", "mine"))));
  try {
    write_text(program(Activation::custom("mine", [](double x) { return x * x; })));
    ADD_FAILURE() << "a C++ function has a text";
  } catch (const ProgramError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("\"mine\" is C++"), HasSubstr("Activation::from_expression")));
  }
}

struct Wrong {
  const char* line;
  int column;
  const char* message;
};

class WrongText : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongText, IsRefusedAtItsPlace) {
  EXPECT_NO_THROW(read(with("x := tanh(g) : H(n)^2")));
  const std::string place = "p.netsor:5:" + std::to_string(GetParam().column) + ": ";
  try {
    read(with(GetParam().line));
    ADD_FAILURE() << GetParam().line;
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(::testing::StartsWith(place), HasSubstr(GetParam().message)))
        << GetParam().line;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongText,
    ::testing::Values(
        Wrong{"x := tahn(g)", 6, "did you mean \"tanh\""},
        Wrong{"x := tanh(h)", 11, "there is no h before this line"},
        Wrong{"x := W g", 1, "W takes width 2n but g has width n; declare the weight with columns = n"},
        Wrong{"x := W", 6, "W is a random matrix; multiply it"},
        Wrong{"x := g g", 8, "neither a matrix nor a table"}, Wrong{"g := tanh(g)", 1, "the name g is taken"},
        Wrong{"x := tanh(g) tanh(g)", 14, "one instruction a line"},
        Wrong{"x := tanh(g", 12, "\")\" is missing"}, Wrong{"x = tanh(g)", 3, "\":=\" is missing"},
        Wrong{"x := tanh(g) : G(n)^2", 16, "makes H(n)^2"},
        Wrong{"x := tanh(g) : H(n)^3", 16, "makes H(n)^2"},
        Wrong{"t := gᵀ g / n : R^{2×3}", 17, "makes R^{2×2}"},
        Wrong{"t := gᵀ g / (2n)", 13, "width n; divide by it"}, Wrong{"t := gᵀ", 6, "g is no table"},
        Wrong{"x := \"x +\"(g)", 6, "a value is missing"}, Wrong{"x := 2", 6, "only 1 can stand here"},
        Wrong{"x := §(g)", 6, "unknown activation"}, Wrong{"x := g ? g", 8, "no part of the language"},
        Wrong{"Inputs: b : G(n), iid N(0, 1)", 1, "did you mean \"Input\""},
        Wrong{"Input: b : G(n), iid N(0, 1/n)", 16, "a vector's variance is a number"},
        Wrong{"Input: b : G(n), iid N(0, -1)", 1, "give a finite number that is not negative"},
        Wrong{"Input: b : A(n, 3), iid N(0, 1/n)", 19, "write N(0, 1/3)"},
        Wrong{"Input: b : A(n, n), iid N(1, 1/n)", 19, "mean 0"},
        Wrong{"Input: U : G(n), iid N(0, 1)", 1, "the name is taken"},
        Wrong{"Matrix: M := [1 2; 3]", 20, "this row has 1 numbers, the first 2"},
        Wrong{"Matrix: M := [1 a]", 17, "a number is missing"},
        Wrong{"Matrix: M := [1 1e999]", 17, "out of range"},
        Wrong{"Matrix: M := \"a.npy\"", 14, "names no files"},
        Wrong{"Matrix: M := select(2; 0, 2)", 27, "column 2 of 2"},
        Wrong{"Matrix: M := sparse(2, 2; 0 0.5 1)", 27, "column 0.5 of 2"},
        Wrong{"Matrix: M := sparse(1, 2000000000)", 14, "too large"},
        Wrong{"Matrix: M := sparse(1, 99999999999999999999)", 24, "a whole number is missing"},
        Wrong{"Function: f(x, x) := x", 16, "two variables are called x"},
        Wrong{"Function: f(x) := y", 11, "there is no variable or constant of that name"},
        Wrong{"Function: tanh(x) := x", 11, "that name is a built-in one"},
        Wrong{"Function: f(x) := 1/x", 11, "no finite value at x = 0"},
        Wrong{"Origin: \"a\", labels L1", 21, "there are no labels of that name"},
        Wrong{"Origin: \"a", 9, "the quotes are never closed"},
        Wrong{"Labels: L1 := \"\\q\"", 16, "in quotes, \\ stands"},
        Wrong{"Output: vᵀ g / √(2n), v ~ N(0, 1)", 17, "has width n"},
        Wrong{"Output: vᵀ g / √n, w ~ N(0, 1)", 20, "the law of v"},
        Wrong{"Output: vᵀ g / √n, v ~ N(0, 1), 3 columns", 33, "2 columns"}));

TEST(WrongText, WithoutOneOutput) {
  EXPECT_THROW(read(with("") + "Output: wᵀ g / √n, w ~ N(0, 1)"), InputError);
  try {
    read("Input: U : A(n, 1), iid N(0, 1)\n");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("p.netsor:2:1: there is no output; end with Output: vᵀ x / √n"));
  }
}

/// A few bytes may not take gigabytes.
TEST(WrongText, ThatIsHostileIsRefused) {
  std::string text =
      "Input: U : A(n, 1), iid N(0, 1)\nMatrix: D := [1]\nMatrix: M := sparse(1, 1000000)\ng := U D\nx := g "
      "M\n";
  for (int k = 0; k < 1000; ++k)
    text += "x" + std::to_string(k) + " := standardize(x; ε = 0." + std::to_string(k + 1) + ")\n";
  EXPECT_THROW(read(text), InputError);
  EXPECT_NO_THROW(read(with("Matrix: M := sparse(2000000000, 2; 1 1 1)")));
  EXPECT_THROW(read("Function: f(x) := " + std::string(100'000, '(')), InputError);
  EXPECT_THROW(read("Matrix: D := " + std::string(100'000, '[')), InputError);
}

}  // namespace
}  // namespace nngpcheck::netsor
