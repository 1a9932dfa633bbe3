"""The package itself: it stands alone, starts light, and would be refused if it did not fit the runtime."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.server import cors
from infra.package import PYTHON
from infra.wheels import Target, faults
from tests import pictures
from tests.deployed.conftest import ROOT, run

#: As the template hands it to what the gateway answers by itself.
_ORIGIN = {"Fn::If": ["GivenOrigin", {"Ref": "AllowedOrigin"}, {"Ref": "PageOrigin"}]}
ALLOWED_ORIGIN = {"Fn::Sub": ["'${Origin}'", {"Origin": _ORIGIN}]}
THIS_PYTHON = sys.version_info[:2]
SHIPPED = Target(PYTHON, "x86_64")
#: The head of a shared library for each machine.
ELF, ELF_OF_ARM = (b"\x7fELF" + bytes(14) + number.to_bytes(2, "little") for number in (62, 183))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unzipped(package, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="module")
def shipped(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` makes for the functions' runtime, whatever Python makes it."""
    if THIS_PYTHON == PYTHON:
        return package
    out = tmp_path_factory.mktemp("shipped")
    run("infra.package", str(out))
    return out


def unzipped(package: Path, folder: Path) -> Path:
    with zipfile.ZipFile(package / "deployment.zip") as archive:
        archive.extractall(folder)
    return folder


def in_the_package(unpacked: Path, code: str, *arguments: str) -> Any:
    """What the code prints as JSON, run by a Python that has nothing but the package and its standard library."""
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "any",
        "IMAGE_BUCKET": "bucket",
        "DATABASE_URL": "mysql+pymysql://user@127.0.0.1:9/none",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    preamble = f"import sys, json; sys.path.insert(0, {str(unpacked)!r})\n"
    command = [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-B", "-c", preamble + code, *arguments]
    done = subprocess.run(command, env=environment, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_api_starts_without_what_it_does_not_need(unpacked: Path) -> None:
    code = """
import app
from chalicelib import runtime
from chalicelib.repository import now
current = runtime.current()
current.store.url('originals/' + '0' * 36 + '-1', 'image/png', 'a.png', 'inline')
current.store.ticket('incoming/' + '0' * 36, 1, now())
heavy = ('PIL', 'pillow_heif',
         'alembic', 'boto3', 'botocore', 'chalicelib.local', 'sqlalchemy.orm', 'chalicelib.imaging.decode')
print(json.dumps([sorted(app.app.routes), [name for name in heavy if name in sys.modules]]))
"""
    routes, loaded = in_the_package(unpacked, code)
    assert loaded == []
    assert "/image/list" in routes
    assert "/store" not in routes


def test_the_package_decodes_with_what_is_in_it(unpacked: Path, tmp_path: Path) -> None:
    code = """
from pathlib import Path
from chalicelib import settings
from chalicelib.aws import decoding
decode = decoding.compose(settings.from_env())
print(json.dumps([decode.examine(Path(name), b'').format for name in sys.argv[1:]]))
"""
    files = []
    for file_format in ("JPEG", "PNG", "HEIC", "AVIF", "WEBP"):
        files.append(tmp_path / file_format)
        files[-1].write_bytes(pictures.encoded(pictures.image(1), file_format))
    assert in_the_package(unpacked, code, *map(str, files)) == ["JPEG", "PNG", "HEIC", "AVIF", "WEBP"]


def test_the_package_brings_its_migrations_and_its_bytecode(unpacked: Path) -> None:
    code = "import alembic.command, chalicelib.catalog.migrate as m; print(json.dumps([m.HEAD, m.__cached__]))"
    head, cached = in_the_package(unpacked, code)
    assert list((unpacked / "chalicelib/catalog/migrations/versions").glob(f"{head}_*.py"))
    assert Path(cached).is_file()


def test_every_path_of_the_definition_answers_other_methods_with_405(package: Path) -> None:
    """The emulator passes this part of a definition over."""
    api = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))["Resources"]["RestAPI"]["Properties"]
    assert "/image/list" in api["DefinitionBody"]["paths"]
    for path, methods in api["DefinitionBody"]["paths"].items():
        assert len(methods) > 1, f"{path} is not one of ours"
        other = methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["responses"]["default"]
        body = json.loads(other["responseTemplates"]["application/json"])
        assert (other["statusCode"], body["Code"]) == ("405", "MethodNotAllowedError")
        assert other["responseParameters"] == {"method.response.header.Access-Control-Allow-Origin": ALLOWED_ORIGIN}
        assert "Access-Control-Allow-Origin" in methods["x-amazon-apigateway-any-method"]["responses"]["405"]["headers"]


def test_head_is_declared_beside_every_get_with_the_same_authorizer(package: Path) -> None:
    api = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))["Resources"]["RestAPI"]["Properties"]
    for methods in api["DefinitionBody"]["paths"].values():
        assert methods.get("head") == methods.get("get")


def test_other_origins_may_read_what_the_gateway_answers_and_are_told_what_a_laptop_tells_them(package: Path) -> None:
    resources = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))["Resources"]
    api, origin = resources["RestAPI"]["Properties"], "https://gallery.example.org"
    for kind, answer in api["GatewayResponses"].items():
        assert answer["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN, kind
    names = {"AllowMethods": "Methods", "AllowHeaders": "Headers"}
    said = {f"Access-Control-Allow-{names[name]}": api["Cors"][name].strip("'") for name in names}
    said |= {"Access-Control-Max-Age": api["Cors"]["MaxAge"].strip("'"), "Access-Control-Allow-Origin": origin}
    assert api["Cors"]["AllowOrigin"] == ALLOWED_ORIGIN
    assert cors.of_api_preflight(origin) == said
    (rule,) = resources["ImageBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-any"}
    told = cors.of_store_preflight(origin, asked)
    assert rule["AllowedHeaders"] == ["*"]
    assert told["Access-Control-Allow-Headers"] == "x-any"
    assert told["Access-Control-Allow-Methods"].split(", ") == rule["AllowedMethods"]
    assert told["Access-Control-Expose-Headers"].split(", ") == rule["ExposedHeaders"]
    assert told["Access-Control-Max-Age"] == str(rule["MaxAge"])


def test_what_is_shipped_fits_the_one_runtime_that_its_template_names(shipped: Path, tmp_path: Path) -> None:
    unpacked = unzipped(shipped, tmp_path)
    assert list(faults(unpacked, ROOT / "requirements.txt", SHIPPED)) == []
    compiled = [path.name for path in unpacked.rglob("*.cpython-*.so")]
    assert compiled
    assert all(f".cpython-{PYTHON[0]}{PYTHON[1]}-x86_64-linux-gnu.so" in name for name in compiled)
    resources = yaml.safe_load((shipped / "sam.yaml").read_text("utf-8"))["Resources"].values()
    runtimes = [each["Properties"]["Runtime"] for each in resources if each["Type"] == "AWS::Serverless::Function"]
    assert len(runtimes) == 6
    machines = [each["Properties"]["Architectures"] for each in resources if each["Type"] == "AWS::Serverless::Function"]
    assert machines == [["x86_64"]] * 6
    assert set(runtimes) == {f"python{PYTHON[0]}.{PYTHON[1]}"}


def test_a_package_for_another_python_is_refused(shipped: Path, tmp_path: Path) -> None:
    unpacked = unzipped(shipped, tmp_path)
    found = list(faults(unpacked, ROOT / "requirements.txt", Target((3, 12), "x86_64")))
    assert len(found) >= len(list(unpacked.rglob("*.cpython-*.so"))) > 0


def test_packaging_again_in_the_same_checkout_makes_the_same(package: Path, tmp_path: Path) -> None:
    run("infra.package", "--this-python", str(tmp_path))
    assert (tmp_path / "deployment.zip").read_bytes() == (package / "deployment.zip").read_bytes()
    assert (tmp_path / "sam.yaml").read_bytes() == (package / "sam.yaml").read_bytes()


@pytest.mark.usefixtures("package")  # which is skipped where nothing can be packaged
def test_the_other_machine_of_lambdas_gets_a_package_of_its_own(tmp_path: Path) -> None:
    run("infra.package", "--architecture", "arm64", str(tmp_path / "arm64"))
    arm64 = unzipped(tmp_path / "arm64", tmp_path / "unpacked")
    assert list(faults(arm64, ROOT / "requirements.txt", Target(PYTHON, "aarch64"))) == []
    libraries = [path.name for path in arm64.rglob("*.cpython-*.so")]
    assert libraries
    assert all("-aarch64-linux-gnu.so" in name for name in libraries)
    assert len(list(faults(arm64, ROOT / "requirements.txt", SHIPPED))) >= len(libraries)
    resources = yaml.safe_load((tmp_path / "arm64" / "sam.yaml").read_text("utf-8"))["Resources"].values()
    machines = [each["Properties"]["Architectures"] for each in resources if each["Type"] == "AWS::Serverless::Function"]
    assert machines == [["arm64"]] * 6


def test_a_file_that_nobody_put_there_is_refused(shipped: Path, tmp_path: Path) -> None:
    unpacked = unzipped(shipped, tmp_path)
    for stray in (".env", "PIL/notes.txt", "msgspec/__pycache__/more.cpython-313.pyc", "more.py"):
        (unpacked / stray).parent.mkdir(exist_ok=True)
        (unpacked / stray).write_bytes(b"")
    named = [sentence.partition(" is neither ours")[0] for sentence in faults(unpacked, ROOT / "requirements.txt", SHIPPED)]
    assert sorted(named) == [".env", "PIL/notes.txt", "more.py", "msgspec/__pycache__/more.cpython-313.pyc"]


def test_what_does_not_fit_the_runtime_is_named(tmp_path: Path) -> None:
    def wheel(name: str, *tags: str, library: bytes = ELF) -> None:
        dist = tmp_path / f"{name}-1.0.dist-info"
        dist.mkdir()
        dist.joinpath("WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in tags))
        files = [f"{name}.so", *(f"{dist.name}/{part}" for part in ("WHEEL", "RECORD", "METADATA"))]
        dist.joinpath("RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
        needs = "Requires-Dist: unheard-of>2\n" if name == "fits" else ""
        dist.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}Requires-Dist: more; extra == 'x'\n"
        )
        tmp_path.joinpath(f"{name}.so").write_bytes(library)

    wheel("fits", "cp313-cp313-manylinux_2_17_x86_64")
    wheel("stable", "cp38-abi3-manylinux2014_x86_64", "cp38-abi3-manylinux_2_28_x86_64")
    wheel("compiled", "cp313-cp313-linux_x86_64")
    wheel("newer", "cp313-cp313-manylinux_2_35_x86_64")
    wheel("snake", "cp312-cp312-manylinux_2_17_x86_64")
    wheel("arm", "cp313-cp313-manylinux_2_17_aarch64")
    wheel("pure", "py3-none-any")
    wheel("lies", "cp313-cp313-manylinux_2_17_x86_64", library=ELF_OF_ARM)
    tmp_path.joinpath("stray.so.1").write_bytes(b"")
    tmp_path.joinpath("fits-1.0.data/platlib").mkdir(parents=True)
    requirements = tmp_path.with_suffix(".txt")
    requirements.write_text(
        '# why\nFits==1.0  # yes\nstable==2.0\nleft-out==2.0; python_version < "3.14"\nlater==3.0; python_version >= "3.14"\n'
    )
    found = list(faults(tmp_path, requirements, Target((3, 13), "x86_64")))
    named = sorted(sentence.split()[0] for sentence in found)
    assert named == [
        *("arm.so", "compiled.so", "fits-1.0.data/platlib", "left-out==2.0", "lies.so", "newer.so"),
        *("pure.so", "snake.so", "stable==2.0", "stray.so.1", "stray.so.1", "unheard-of>2"),
    ]
