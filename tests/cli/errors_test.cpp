// Nonsense on the command line and in files: status 64, one message that says what to do, nothing written.
#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Errors : public Executable {
 protected:
  void expect(const std::string& arguments, const std::string& message) const {
    const auto before = files();
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 64) << arguments;
    EXPECT_THAT(outcome.output, IsEmpty()) << arguments;
    EXPECT_THAT(outcome.errors, StartsWith("nngpcheck: ")) << arguments;
    EXPECT_THAT(outcome.errors, HasSubstr(message)) << arguments;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
    EXPECT_EQ(files(), before) << arguments;
  }

  /// The experiment with one line replaced.
  void expect_with(const std::string& line, const std::string& replacement,
                   const std::string& message) const {
    std::string text = experiment;
    text.replace(text.find(line), line.size(), replacement);
    write("bad.toml", text);
    expect("run bad.toml --out out", message);
  }
};

TEST_F(Errors, OfTheCommandLine) {
  expect("", "no command; one of list, show, kernel, run, merge, check, power, import, law, width, plot, dual");
  expect("shwo mlp", "no command is called \"shwo\"; did you mean \"show\"?");
  expect("--frobnicate", "frobnicate");
  expect("list extra", "extra");
  expect("show", "program is required");
  expect("run e.toml --sampler magic", "magic");
  expect("power e.toml --experiment nope", "no experiment is called \"nope\"; it holds mlp");
  expect("power e.toml --repetitions 0", "--repetitions");
  expect("power e.toml --resolution 0", "resolution");
  expect("run e.toml --threads -1", "--threads");
  expect("run e.toml --threads many", "--threads");
  expect("run e.toml --device toaster --out out", "toaster");
  expect("run e.toml --set", "--set");
  expect("run e.toml --set sweep.networks --out out", "not an assignment");
  expect("plot", "folders is required");
  expect("run e.toml --memory lots", "--memory: lots unit not recognized");
  expect("check e.toml --sampler magic", "magic");
  expect("check e.toml --threads -1", "--threads");
  expect("check e.toml --experiment nope", "no experiment is called \"nope\"; it holds mlp");
  expect("check e.toml --alpha x", "--alpha = x");
  expect("check e.toml --resolution 0", "e.toml: mlp: resolution is 0: it must be positive");
  expect("check e.toml --kernel", "--kernel: 1 required K missing");
  expect("power e.toml --threads -1", "--threads");
  expect("power e.toml --resolution x", "--resolution = x");
  expect("power none.toml", "none.toml: no such file");
  expect("show mlp --plan extra", "not expected: extra");
  expect("show mlp --set '#=1'", "--set #=1: a comment");
}

TEST_F(Errors, OfSizes) {
  expect("show mlp --set architecture.depth=1000000000",
         "architecture.depth = 1000000000: must be from 1 to");
  expect("kernel e.toml --set inputs.count=1000000000000", "the file has 3 rows");
  expect("run e.toml --out out --set sweep.widths=[8,1000000000000000]", "widths end at 2147483648");
  expect("run e.toml --out out --set sweep.networks=1000000000000", "at most 1000000000");
}

TEST_F(Errors, OfNames) {
  expect("show mpl", "unknown architecture \"mpl\"; did you mean \"mlp\"?");
  expect("dual rleu 1 1 0", "\"relu\"");
  expect("kernel e.toml --experiment other", "no experiment is called \"other\"; it holds mlp");
}

TEST_F(Errors, OfNumbers) {
  expect("dual 'x*tnh(x)' 1 1 0", "expression \"x*tnh(x)\": column 3, at \"tnh\"");
  expect("dual relu one 1 0", "A = \"one\" is not a number");
  expect("dual relu 1 1 0x", "C = \"0x\" is not a number");
  expect("dual relu 1 1", "C is required");
  expect("dual relu -1 1 0", "");
  expect("dual relu 1 1 2", "");
  expect("dual relu nan 1 0", "");
  expect("dual relu inf 1 0", "");
}

TEST_F(Errors, OfExperimentFiles) {
  expect("show none.toml", "none.toml: no such file");
  expect("show . --plan", "unknown architecture");
  expect("kernel .", "not a file");
  expect("kernel none.toml -o K.json", "none.toml: no such file");
  expect_with("a.csv", "none.csv", "bad.toml:5: none.csv: no such file");
  expect_with("[architecture]", "[architecture", "bad.toml:1: ");
  expect_with("name = \"mlp\"", "name = 3", "bad.toml:2: architecture.name is an integer, not a string");
  expect_with("activation", "activatoin",
              "bad.toml:3: unknown key \"architecture.activatoin\"; did you mean \"activation\"?");
  expect_with("\"relu\"", "\"rleu\"", "bad.toml:3: ");
  expect_with("activation = \"relu\"", "weight_variance = -1",
              "bad.toml:3: architecture.weight_variance = -1");
  expect_with("activation = \"relu\"", "depth = 0", "bad.toml:3: architecture.depth = 0");
  expect_with("[8, 16, 32]", "[0, 16]", "bad.toml:7: sweep.widths holds 0");
  expect_with("networks = 6", "networks = \"6\"", "bad.toml:8: sweep.networks is a string, not an integer");
}

TEST_F(Errors, OfInputs) {
  write("a.csv", "x0,x1\n1,0\n0\n");
  expect("run e.toml --out out", "a.csv:3: 1 fields where the header has 2");
  write("a.csv", "x0,x1\n1,nan\n");
  expect("run e.toml --out out", "a.csv:2: column x1: \"nan\" is not finite");
  write("a.csv", "");
  expect("run e.toml --out out", "a.csv: empty");
}

TEST_F(Errors, NeverShowRawBytes) {
  write("a.csv", std::string("x0,x1\n\x89PNG\0\x1b[31m\n", 17));
  expect("kernel e.toml", "a.csv: a binary file");
  write("a.csv", "x0,x1\n1,\xfc\n");
  expect("kernel e.toml", "a.csv:2: not UTF-8");
  write("b.toml", "[architecture]\nname = \x1b[31m\n");
  for (const std::string arguments :
       {"kernel b.toml", "show \x1b[31m", "kernel e.toml --set inputs.file=\x1b[31m"}) {
    const std::string errors = run(arguments).errors;
    EXPECT_THAT(errors, StartsWith("nngpcheck: "));
    EXPECT_EQ(errors.find('\x1b'), std::string::npos) << arguments;
  }
}

TEST_F(Errors, OfInputsInTwoFiles) {
  write("test.csv", "x0,x1,x2\n1,2,3\n");
  expect("kernel e.toml --rows test.csv -o K.csv",
         "test.csv: the rows have 3 numbers each, but the columns 2");
  expect("kernel e.toml --rows none.csv", "none.csv: no such file");
  write("tokens.csv", "sequence,position,token,x0,x1\n0,0,a,1,2\n");
  expect("kernel e.toml --rows tokens.csv",
         "tokens.csv: the rows are sequences, but the columns are vectors");
}

TEST_F(Errors, OfPlacesToWrite) {
  write("file", "mine");
  expect("run e.toml --out file", "file: cannot hold a run: not a folder");
  expect("run e.toml --out file/out", "not a folder");
  expect("kernel e.toml -o file/K.json", "file/K.json: cannot be written");
  expect("kernel e.toml -o none/K.npy", "none/K.npy: cannot be written");
  expect("kernel e.toml -o K.txt", "must end in .json, .csv or .npy");
  fs::create_directories(folder_ / "photos");
  write("photos/cat.png", "cat");
  expect("run e.toml --out photos", "photos: holds files, but no run");
  expect("plot photos", "photos: no finished run here");
  expect("check e.toml --junit none/r.xml", "none/r.xml: cannot be written");
  expect("check e.toml --json none/r.json", "none/r.json: cannot be written");
  expect("power e.toml --json none/p.json", "none/p.json: cannot be written");
}

TEST_F(Errors, OfFilesThatDoNotFitTheCommand) {
  write("kernel_only.toml", experiment.substr(0, experiment.find("[sweep]")));
  expect("run kernel_only.toml --out out", "has no [sweep]");
  write("zero.toml",
        "[architecture]\nname = \"mlp\"\nreadout_variance = 0\n[inputs]\nfile = \"a.csv\"\n"
        "[sweep]\nwidths = [8, 16]\nnetworks = 2\n");
  expect("run zero.toml --out out", "the analytic kernel is zero");
}

}  // namespace
}  // namespace nngpcheck::cli
