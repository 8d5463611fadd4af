#include <nlohmann/json.hpp>

#include "executable.hpp"
#include "nngpcheck/files/npy.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Commands : public Executable {
 protected:
  std::string output(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.errors;
    return outcome.output;
  }

  /// A number of its own for each sample, channel and position.
  static std::string pixel(int sample, int channel, int position) {
    return std::to_string(0.1 * (1 + sample) + channel - 0.3 * position * (channel + 1));
  }
};

TEST_F(Commands, Help) {
  EXPECT_THAT(output("--version"), AllOf(StartsWith("nngpcheck "), HasSubstr("LibTorch "),
                                         HasSubstr("Eigen "), HasSubstr("Boost ")));
  EXPECT_THAT(output("--help"), AllOf(HasSubstr("kernel"), HasSubstr("dual"),
                                      HasSubstr("64 bad usage or input"), Not(HasSubstr("--man-page"))));
  EXPECT_THAT(output("run --help"), HasSubstr("--threads"));
}

TEST_F(Commands, ManPage) {
  const std::string page = output("--man-page");
  EXPECT_THAT(page,
              AllOf(StartsWith(".TH NNGPCHECK 1 "), HasSubstr("\n.SS nngpcheck dual\n"),
                    HasSubstr(".TP\n\\fB\\-\\-out\\fR DIR\n"), HasSubstr("\\fB\\-o,\\-\\-output\\fR K\n"),
                    HasSubstr("\n.SH EXIT STATUS\n"), Not(HasSubstr("man\\-page"))));
  if (std::system("command -v man >/dev/null") != 0) GTEST_SKIP() << "no man to read it";
  write("nngpcheck.1", page);
  const std::string check = "cd '" + folder_.string() + "' && man --warnings=all -E UTF-8 -l -Tutf8 ";
  EXPECT_EQ(std::system((check + "nngpcheck.1 >page 2>warnings").c_str()), 0);
  EXPECT_EQ(read(folder_ / "warnings"), "");
  EXPECT_THAT(read(folder_ / "page"), HasSubstr("User Commands"));
}

TEST_F(Commands, List) {
  EXPECT_THAT(output("list"),
              AllOf(HasSubstr("simple_rnn"), HasSubstr("weight_variance"), HasSubstr("leaky_relu"),
                    HasSubstr("max_pool: "), HasSubstr("shortcut              list of layers")));
}

TEST_F(Commands, Show) {
  EXPECT_THAT(output("show mlp"), HasSubstr("Output: "));
  EXPECT_THAT(output("show simple_rnn --set architecture.activation=erf"), HasSubstr("erf("));
  EXPECT_THAT(output("show e.toml"), HasSubstr("relu("));
  EXPECT_THAT(output("show e.toml --plan"), HasSubstr("closed form"));
}

TEST_F(Commands, KernelToRead) {
  EXPECT_THAT(output("kernel e.toml"),
              AllOf(HasSubstr("0.25"), HasSubstr("method: "), HasSubstr("error bound")));
}

// One hidden relu layer on x ∈ R²: K(x, x) = ‖x‖²/4.
TEST_F(Commands, KernelToFiles) {
  EXPECT_THAT(output("kernel e.toml -o K.json"), IsEmpty());
  const auto json = nlohmann::json::parse(read(folder_ / "K.json"));
  EXPECT_NEAR(json["kernel"][0][0].get<double>(), 0.25, 1e-15);
  EXPECT_NEAR(json["kernel"][2][2].get<double>(), 0.5, 1e-15);
  EXPECT_EQ(json["labels"], nlohmann::json({"0", "1", "2"}));
  EXPECT_EQ(json["stderr"].size(), 3u);
  EXPECT_EQ(json["error_bound"][2].size(), 3u);
  EXPECT_TRUE(json["method"].is_string());
  output("kernel e.toml -o K.npy");
  const Eigen::MatrixXd kernel = files::read_npy(folder_ / "K.npy");
  EXPECT_EQ(kernel(0, 1), json["kernel"][0][1].get<double>());
  output("kernel e.toml -o K.csv");
  EXPECT_EQ(std::stod(read(folder_ / "K.csv")), kernel(0, 0));
}

TEST_F(Commands, KernelOfTestAndTraining) {
  write("test.csv", "name,left,right\nfirst,1,1\nsecond,3,-1\n");
  EXPECT_THAT(output("kernel e.toml --rows test.csv --set inputs.count=2"),
              AllOf(HasSubstr("first "), HasSubstr("second "), HasSubstr("method: ")));
  output("kernel e.toml --rows test.csv -o K.json");
  const auto json = nlohmann::json::parse(read(folder_ / "K.json"));
  EXPECT_EQ(json["rows"], nlohmann::json({"first", "second"}));
  EXPECT_EQ(json["columns"], nlohmann::json({"0", "1", "2"}));
  output("kernel e.toml --rows test.csv -o K.csv");
  EXPECT_THAT(read(folder_ / "K.csv"), StartsWith(",0,1,2\nfirst,"));
  // The block of the kernel of all of them.
  write("a.csv", "x0,x1\n1,1\n3,-1\n1,0\n0,1\n1,1\n");
  output("kernel e.toml -o all.npy");
  const Eigen::MatrixXd all = files::read_npy(folder_ / "all.npy");
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(json["kernel"][i][j].get<double>(), all(i, j + 2), 1e-15);
  }
}

// The same two images, channels first and last, in arrays and in rows.
TEST_F(Commands, LayoutsOfImages) {
  std::string first = "\n", last = "\n";
  for (int s = 0; s < 2; ++s) {
    for (int k = 0; k < 12; ++k) {
      const int c = k / 4, p = k % 4,
                other = 4 * (k % 3) + k / 3;  // of row k channels last: channel k % 3, position k / 3
      first += pixel(s, c, p) + (k < 11 ? "," : "\n");
      last += pixel(s, other / 4, other % 4) + (k < 11 ? "," : "\n");
    }
  }
  write("first.csv", first);
  write("last.csv", last);
  const std::string kernel =
      "kernel e.toml --set architecture.name=cnn --set inputs.grid=[2,2] --set inputs.file=";
  const std::string right = output(kernel + "first.csv --set inputs.layout=channels_first");
  EXPECT_EQ(output(kernel + "last.csv --set inputs.layout=channels_last"), right);
  EXPECT_NE(output(kernel + "last.csv --set inputs.layout=channels_first"), right);
  EXPECT_EQ(run(kernel + "first.csv --set inputs.layout=channels_first").errors, "");
  const Outcome unsure = run(kernel + "last.csv");
  EXPECT_THAT(
      unsure.errors,
      HasSubstr("not sure: cnn: last.csv: rows of 12 numbers on a grid of 4 positions are read as 3"));
}

TEST_F(Commands, ShowSaysHowInputsWereRead) {
  EXPECT_THAT(output("show e.toml"),
              StartsWith("// a.csv: 3 rows, a header; inputs: x0, x1: 3 vectors of 2 numbers\n"));
}

TEST_F(Commands, KernelOfOneOfSeveral) {
  const std::string rest = "architecture.name = \"mlp\"\ninputs.file = \"a.csv\"\n";
  write("two.toml", "[[experiment]]\nname = \"one\"\n" + rest + "[[experiment]]\nname = \"two\"\n" + rest);
  EXPECT_THAT(output("kernel two.toml"), AllOf(HasSubstr("# one"), HasSubstr("# two")));
  output("kernel two.toml --experiment two -o K.csv");
  EXPECT_EQ(run("kernel two.toml -o L.csv").status, 64);
  EXPECT_FALSE(fs::exists(folder_ / "L.csv"));
}

TEST_F(Commands, KernelsOfEveryLayer) {
  const std::string layers = "kernel e.toml --layers ";
  EXPECT_THAT(run(layers).output, AllOf(HasSubstr("# mlp-dense1\n"), HasSubstr("# mlp-activation1\n")));
  EXPECT_EQ(run(layers + "--experiment mlp-activation1 -o layer.csv").status, 0);
  EXPECT_EQ(run("kernel e.toml -o all.csv").status, 0);
  EXPECT_EQ(read(folder_ / "layer.csv"), read(folder_ / "all.csv"));
  EXPECT_EQ(run(layers + "--experiment mlp-dense1 -o dense.csv").status, 0);
  EXPECT_NE(read(folder_ / "dense.csv"), read(folder_ / "all.csv"));
  EXPECT_THAT(run(layers + "-o K.csv").errors,
              HasSubstr("choose by --experiment one of mlp-dense1, mlp-act"));
  EXPECT_EQ(run(layers + "--rows x.csv").status, 64);
}

TEST_F(Commands, Dual) {
  EXPECT_THAT(output("dual relu 1 1 1"), AllOf(StartsWith("0.5"), HasSubstr(" ± ")));
  EXPECT_NEAR(std::stod(output("dual erf 1 2 -0.5")), -std::stod(output("dual erf 1 2 .5")), 1e-15);
  EXPECT_EQ(output("dual erf 1 2 -.5"), output("dual erf 1 2 -0.5"));
  EXPECT_NEAR(std::stod(output("dual 'max(x, 0)' 1 2 0.5")), std::stod(output("dual relu 1 2 0.5")), 1e-14);
  EXPECT_EQ(output("dual erf 1 2 -5e-1"), output("dual erf 1 2 -0.5"));
}

TEST_F(Commands, Power) {
  const std::string quick =
      "power e.toml --repetitions 1 --above-resolution --set architecture.activation=erf";
  EXPECT_THAT(output(quick + " --json p.json"),
              AllOf(HasSubstr("## mlp"), HasSubstr("| scale 1 % too small |"), HasSubstr("checks caught")));
  const auto json = nlohmann::json::parse(read(folder_ / "p.json"));
  EXPECT_EQ(json[0]["name"], "mlp");
  EXPECT_TRUE(json[0]["all_caught"]);
  EXPECT_EQ(json[0]["mutants"][0]["disagree"], 1);
}

}  // namespace
}  // namespace nngpcheck::cli
