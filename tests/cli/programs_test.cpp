// Files that are programs where other commands take experiments: text, and what is imported.
#include "executable.hpp"
#include "nngpcheck/files/npy.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Programs : public Executable {
 protected:
  std::string output(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.errors;
    return outcome.output;
  }
};

TEST_F(Programs, AreShownAsWhatTheyWereReadFrom) {
  const std::string text = output("show e.toml --format netsor");
  EXPECT_THAT(text, AllOf(HasSubstr("Matrix: D1 := [1 0 1; 0 1 1]"), HasSubstr(" := relu(g1) : H(n)^3")));
  write("p.netsor", text);
  EXPECT_EQ(output("show p.netsor --format netsor"), text);
  output("kernel e.toml -o K.npy");
  output("kernel p.netsor -o L.npy");
  EXPECT_EQ(files::read_npy(folder_ / "K.npy"), files::read_npy(folder_ / "L.npy"));
  EXPECT_THAT(output("show p.netsor --plan"), HasSubstr("closed form"));
}

TEST_F(Programs, AreRunCheckedAndGivenMistakes) {
  write("p.netsor", output("show e.toml --format netsor"));
  output("run p.netsor --out out --quiet --set sweep.widths=[8,16] --set sweep.networks=5");
  EXPECT_THAT(read(folder_ / "out" / "summary.json"), HasSubstr("\"p\""));
  EXPECT_THAT(output("check p.netsor --quiet --resolution 0.05"), StartsWith("agree     p: "));
  EXPECT_THAT(output("power p.netsor --quiet --repetitions 2 --resolution 0.1 --above-resolution"),
              HasSubstr("relu without its ½"));
}

TEST_F(Programs, OfModelsAreWrittenWithTheirConstantsBeside) {
  const std::string archive = NNGPCHECK_SOURCE "/tests/import/archives/cnn2d_circular.nngp";
  EXPECT_THAT(output("import " + archive + " -o net.netsor"), HasSubstr("limit: "));
  EXPECT_TRUE(fs::exists(folder_ / "net.D1.npy"));
  output("kernel " + archive + " -o K.npy");
  output("kernel net.netsor -o L.npy");
  EXPECT_EQ(files::read_npy(folder_ / "K.npy"), files::read_npy(folder_ / "L.npy"));
}

TEST_F(Programs, WithMistakesAreRefused) {
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 64) << arguments;
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors, HasSubstr(message)) << arguments;
  };
  write("p.netsor", "x := relu(y)\n");
  refused("kernel p.netsor", "p.netsor:1:11: there is no y before this line");
  refused("show none.netsor", "none.netsor: no such file");
  refused("show e.toml --format latex", "--format");
  refused("show e.toml --format netsor --plan", "--plan");
  refused("show " NNGPCHECK_SOURCE "/experiments/ci.toml --format netsor", "several experiments");
  refused("import " NNGPCHECK_SOURCE "/tests/import/archives/mlp_kaiming.nngp -o net.txt",
          "must end in .netsor");
}

}  // namespace
}  // namespace nngpcheck::cli
