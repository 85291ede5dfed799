package diag

// The codes. They are stable: one is never given another meaning, and one that
// is no longer used is not used again. ETL10 is the file's form, ETL11 its
// schema, ETL12 names and the graph, ETL13 values, ETL14 what happens per
// event, ETL15 files and certificates, ETL16 tests; ETL19 are warnings.
const (
	FileUnreadable    Code = "ETL1001"
	Syntax            Code = "ETL1002"
	OneLineBlock      Code = "ETL1003"
	InnerQuotes       Code = "ETL1004"
	DottedKey         Code = "ETL1005"
	AttributeSyntax   Code = "ETL1006"
	Unterminated      Code = "ETL1007"
	NotUTF8           Code = "ETL1008"
	NoPipeline        Code = "ETL1009"
	UnknownBlock      Code = "ETL1101"
	UnknownAttribute  Code = "ETL1102"
	MissingAttribute  Code = "ETL1103"
	BlockLabels       Code = "ETL1104"
	InvalidName       Code = "ETL1105"
	DuplicateBlock    Code = "ETL1106"
	DuplicateKey      Code = "ETL1107"
	NotYet            Code = "ETL1108"
	UnknownKind       Code = "ETL1109"
	BlockIsAttribute  Code = "ETL1110"
	AttributeIsBlock  Code = "ETL1111"
	Shared            Code = "ETL1112"
	DuplicateName     Code = "ETL1201"
	UnknownReference  Code = "ETL1202"
	InvalidReference  Code = "ETL1203"
	SinkWithoutOutput Code = "ETL1204"
	NoSuchOutput      Code = "ETL1205"
	Cycle             Code = "ETL1206"
	UnreachedSink     Code = "ETL1207"
	UnreadSource      Code = "ETL1208"
	ErrorsSplat       Code = "ETL1209"
	UnknownVariable   Code = "ETL1210"
	UnknownLocal      Code = "ETL1211"
	UnknownFunction   Code = "ETL1212"
	LocalCycle        Code = "ETL1213"
	NoSource          Code = "ETL1214"
	NoSink            Code = "ETL1215"
	UnknownName       Code = "ETL1216"
	ExactlyOnce       Code = "ETL1217"
	WrongType         Code = "ETL1301"
	WrongUnit         Code = "ETL1302"
	BareNumber        Code = "ETL1303"
	NotInEnum         Code = "ETL1304"
	OutOfRange        Code = "ETL1305"
	InvalidValue      Code = "ETL1306"
	NoValue           Code = "ETL1307"
	VariableType      Code = "ETL1308"
	VariableInvalid   Code = "ETL1309"
	UndeclaredValue   Code = "ETL1310"
	FunctionCall      Code = "ETL1311"
	Evaluation        Code = "ETL1312"
	UnknownValue      Code = "ETL1313"
	Interpolation     Code = "ETL1401"
	NotLiteral        Code = "ETL1402"
	Expression        Code = "ETL1403"
	Template          Code = "ETL1405"
	NoFunction        Code = "ETL1406"
	Arguments         Code = "ETL1407"
	NotBinding        Code = "ETL1408"
	Constant          Code = "ETL1409"
	NoCondition       Code = "ETL1410"
	AlwaysFails       Code = "ETL1411"
	LuaSyntax         Code = "ETL1501" // at its line of the script or heredoc
	LuaNoProcess      Code = "ETL1502" // no function process
	LuaModule         Code = "ETL1503" // `require` of what is not there
	MissingFile       Code = "ETL1504"
	UnreadableFile    Code = "ETL1505"
	CertUnreadable    Code = "ETL1507"
	CertExpired       Code = "ETL1508"
	CertNotYetValid   Code = "ETL1509"
	KeyUnreadable     Code = "ETL1510"
	KeyMismatch       Code = "ETL1511"
	CAMismatch        Code = "ETL1512"
	CAUnreadable      Code = "ETL1513"
	InvalidLogin      Code = "ETL1514"
	LuaLoad           Code = "ETL1515" // the chunk ran and failed
	TestAddress       Code = "ETL1601"
	TestNoFiles       Code = "ETL1602"
	TestShape         Code = "ETL1603"
	TestInvalid       Code = "ETL1604"
	UnlikelyPath      Code = "ETL1901"
	BlockingQueue     Code = "ETL1905"
	CertExpiresSoon   Code = "ETL1906"
	UnlikelyExpr      Code = "ETL1907"
	ComponentWarning  Code = "ETL1908"
	FileElsewhere     Code = "ETL1909"
	UnreadNode        Code = "ETL1910"
	UnlikelyMinus     Code = "ETL1911"
	UnlikelyText      Code = "ETL1912"
	NoMetaMember      Code = "ETL1913"
	LooseNetwork      Code = "ETL1914"
	NotNil            Code = "ETL1915"
	UnusedConnection  Code = "ETL1916"
)

// Meanings is the table of the codes: one line each, for the reference.
var Meanings = map[Code]string{
	FileUnreadable:    "a pipeline file can't be read",
	Syntax:            "the file is not HCL",
	OneLineBlock:      "a block on one line holds more than one attribute",
	InnerQuotes:       "a string ends at a quote that was meant to be inside it",
	DottedKey:         "a key of an object has a dot and no quotes",
	AttributeSyntax:   "an attribute is not written NAME = VALUE",
	Unterminated:      "a string, heredoc, bracket or block has no end",
	NotUTF8:           "the file is not UTF-8",
	NoPipeline:        "there is no pipeline in the place named",
	UnknownBlock:      "no block of this type belongs here",
	UnknownAttribute:  "no attribute of this name belongs here",
	MissingAttribute:  "an attribute that must be written is not there",
	BlockLabels:       "a block has too many or too few labels",
	InvalidName:       "a name that the language doesn't take",
	DuplicateBlock:    "a block that may be there once is there again",
	DuplicateKey:      "an object has the same key twice",
	NotYet:            "something of the language that this version doesn't have yet",
	UnknownKind:       "there is no component of this kind",
	BlockIsAttribute:  "an attribute is written as a block",
	AttributeIsBlock:  "a block is written as an attribute",
	Shared:            "something of a connection is written in a component that uses one",
	DuplicateName:     "two things have the same name",
	UnknownReference:  "a reference to a component that is not there",
	InvalidReference:  "something that is no reference where one is needed",
	SinkWithoutOutput: "a sink has no plain output",
	NoSuchOutput:      "a component doesn't have this output",
	Cycle:             "components feed each other in a circle",
	UnreachedSink:     "nothing reaches a sink",
	UnreadSource:      "nobody reads a source",
	ErrorsSplat:       "all errors are written `errors`",
	UnknownVariable:   "there is no variable of this name",
	UnknownLocal:      "there is no local of this name",
	UnknownFunction:   "there is no function of this name at load time",
	LocalCycle:        "locals are made of each other in a circle",
	NoSource:          "a pipeline has no source",
	NoSink:            "a pipeline has no sink",
	UnknownName:       "a bare word that means nothing where it stands",
	ExactlyOnce:       "a sink can't deliver exactly once what comes to it",
	WrongType:         "a value has the wrong type",
	WrongUnit:         "a duration, size or rate is not written as one",
	BareNumber:        "a number has no unit where it needs one",
	NotInEnum:         "a value is none of those that are possible",
	OutOfRange:        "a number is too small or too large",
	InvalidValue:      "a component refuses a value",
	NoValue:           "a variable has no value",
	VariableType:      "the value of a variable doesn't fit its type",
	VariableInvalid:   "the value of a variable doesn't pass its validation",
	UndeclaredValue:   "a value is given to a variable that is not there",
	FunctionCall:      "a function is called with the wrong arguments",
	Evaluation:        "a value can't be computed at load time",
	UnknownValue:      "a value that must be known is made from a variable without one",
	Interpolation:     "`${` or `%{` stands where text must be literal",
	NotLiteral:        "a text must be a literal, a variable or a local",
	Expression:        "an expression can't be read",
	Template:          "a template is not written as one, or can't give an address",
	NoFunction:        "an expression calls what is no function",
	Arguments:         "a function of an expression is called with the wrong arguments",
	NotBinding:        "`not` binds tighter than it looks",
	Constant:          "a constant of an expression is none of those that are possible there",
	NoCondition:       "an expression can't be true or false where it must be",
	AlwaysFails:       "an expression fails for every event",
	LuaSyntax:         "Lua that doesn't parse",
	LuaNoProcess:      "a script has no function process",
	LuaModule:         "a script requires a module that is not there",
	MissingFile:       "a file is not there",
	UnreadableFile:    "a file can't be read",
	CertUnreadable:    "a certificate can't be read",
	CertExpired:       "a certificate is expired",
	CertNotYetValid:   "a certificate is not valid yet",
	KeyUnreadable:     "a private or secret key can't be used",
	KeyMismatch:       "a private key doesn't belong to its certificate",
	CAMismatch:        "a certificate is not signed by its authority",
	CAUnreadable:      "the certificates of the authorities can't be read",
	InvalidLogin:      "a credentials file or key can't be read as one",
	LuaLoad:           "a script fails while it is loaded",
	TestAddress:       "a test names an address that is not there",
	TestNoFiles:       "a test names files that are not there",
	TestShape:         "a block of a test says too much, too little or contradicts itself",
	TestInvalid:       "a value in a test is not what it must be",
	UnlikelyPath:      "a path that no Wazuh alert has, close to one that they have",
	BlockingQueue:     "a full queue stops a source that can't be read again",
	CertExpiresSoon:   "a certificate expires soon",
	UnlikelyExpr:      "a part of an expression is never more than nil or false",
	ComponentWarning:  "something that a component finds unlikely",
	FileElsewhere:     "a file is not where a path leads, but where the path would lead from the working directory",
	UnreadNode:        "nobody reads a filter or transform",
	UnlikelyMinus:     "a subtraction that is probably a name with a dash",
	UnlikelyText:      "a text that is probably a path without its braces",
	NoMetaMember:      "`meta` has no member of this name",
	LooseNetwork:      "a network has bits set behind its prefix",
	NotNil:            "nil is written as in another language",
	UnusedConnection:  "no component uses a connection",
}
